// Chains of derivatives as Markdown, formulas in LaTeX between dollar signs.
import { digits } from "./digits.ts"
import type { Explanation, Factor, Path, Rest, Share } from "./explanation.ts"
import { say } from "./messages/index.ts"
import { spaced } from "./text.ts"

const words = say.chains

/**
 * An explanation as Markdown: headings, tables, and formulas in LaTeX (`$...$` and `$$...$$`, which GitHub and Jupyter show).
 *
 * @example
 * const loss = (w: Tensor, x: Tensor) => sum(tanh(matmul(x, w)))
 * const explanation = explain(loss, [tensor([[0.5], [0.2]]), tensor([[1, 3]])], { of: "0[1,0]" })
 * renderMarkdown(explanation).split("\n")[0]  // "# E by 0\\[1,0\\] = 0.2"
 */
export function renderMarkdown(e: Explanation): string {
  return [
    `# ${escaped(words.title(e.of.name, digits(e.of.value)))}`,
    words.summary(words.paths(spaced(e.numberOfPaths)), digits(e.error)),
    ...e.paths.flatMap((p, i) => path(p, i, e)),
    ...section(words.restTitle, e.rest.branches.largest, e.rest.branches.others),
    ...(e.uses.largest.length > 1 ? section(words.usesTitle, e.uses.largest, e.uses.others) : []),
    ...section(words.groupsTitle, e.groups.groups, undefined),
    ...(e.sumOfPaths === 0 ? blocked(e) : []),
    ...update(e),
    `## ${words.checkTitle}`,
    table(["", "$\\partial E/\\partial w$"], [
      [words.sum, number(e.sumOfPaths)],
      [words.gradient, number(e.gradient)],
      [words.differences, number(e.finiteDifference)],
    ]), // biome-ignore format: rows
    e.verdict,
    "",
  ].join("\n\n")
}

function path(p: Path, i: number, e: Explanation): string[] {
  const { derivative, formula, value, measured } = words.columns
  const shown = p.factors.filter(f => !f.copy)
  const rows = shown.map((f, k) => [`$f_{${k + 1}}$`, derivativeOf(f), `$${f.latex}$`, number(f.value), number(f.check)])
  return [
    `## ${words.path(i + 1, spaced(e.numberOfPaths))}`,
    `$$${shown.map((_, k) => `f_{${k + 1}}`).join(" \\cdot ") || "1"} = ${shown.map(f => factorNumber(f.value)).join(" \\cdot ") || "1"} = ${latexNumber(p.contribution)}$$`,
    ...(rows.length ? [table(["", derivative, formula, value, measured], rows)] : []),
  ]
}
const derivativeOf = (f: Factor): string => `d ${code(f.result.name)} / d ${code(f.by.name)}`

function section(title: string, all: readonly Share[], others: (Rest & { readonly shares: number }) | undefined): string[] {
  if (!all.length) return []
  const rows = [...all, ...(others ? [{ ...others, name: words.others(others.shares) }] : [])]
  const { contribution, count } = words.columns
  return [
    `## ${title}`,
    table(
      ["", contribution, count],
      rows.map(r => [code(r.name), number(r.contribution), spaced(r.count)]),
    ),
  ]
}
const blocked = ({ blocked: { places } }: Explanation): string[] =>
  places.length ? [`## ${words.blockedTitle}`, places.map(p => `- ${escaped(p.sentence)}`).join("\n")] : []
function update({ update: u }: Explanation): string[] {
  if (!u) return []
  return [
    `## ${words.updateTitle(u.optimizer)}`,
    table(
      ["", "", ""],
      u.lines.map(l => [l.symbol, escaped(l.formula), number(l.value)]),
    ),
    words.alone(digits(u.alone.predicted), digits(u.alone.actual)),
    words.all(digits(u.all.predicted), digits(u.all.actual)),
  ]
}

const table = (heads: readonly string[], rows: readonly (readonly string[])[]): string =>
  [heads, heads.map(() => "---"), ...rows].map(cells => `| ${cells.join(" | ")} |`).join("\n")
const code = (text: string): string => `\`${text.replaceAll("|", "\\|")}\``
const escaped = (text: string): string => text.replaceAll(/[|*_[\]<>]/g, "\\$&")
const number = (x: number): string => digits(x)
/** 1.5e-7 as 1.5 \cdot 10^{-7}. */
export const latexNumber = (x: number): string =>
  digits(x).replace(/e([+-])(\d+)$/, (_, sign, e) => ` \\cdot 10^{${sign === "-" ? "-" : ""}${e}}`)
/** In brackets where a sign or a power would be misread. */
export const factorNumber = (x: number): string => (x < 0 || digits(x).includes("e") ? `\\left(${latexNumber(x)}\\right)` : latexNumber(x))
