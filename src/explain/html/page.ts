// An explanation as one HTML page that needs nothing else.
import { sha256 } from "../../io/sha256.ts"
import type { Explanation } from "../explanation.ts"
import { say } from "../messages/index.ts"
import { spaced } from "../text.ts"
import { type Figure, figureOf } from "./drawing.ts"
import { escaped, nameOf } from "./escape.ts"
import { base64, Formulas, gradient } from "./formulas.ts"
import { katexFiles } from "./katex-files.ts"
import { loadDagre, loadKatex } from "./libraries.ts"
import { number } from "./numbers.ts"
import {
  blockedSection,
  checkSection,
  graphSection,
  groupsSection,
  pathsSection,
  restSection,
  type Section,
  sectionHtml,
  updateSection,
  usesSection,
} from "./sections.ts"
import { GRAPH_STYLE, PAGE_STYLE, SCRIPT } from "./style.ts"

const page = say.page

/**
 * An explanation as one HTML page: the gradient and what it is checked by, the adjoint graph, each path with its factors as formulas and
 * numbers, and what opens by layer, composite and turn. The page asks for nothing else, neither style nor font nor script, and may be
 * opened as a file, mailed and printed.
 *
 * Needs the packages katex and @dagrejs/dagre; throws an Error that says how to install them. Formulas are HTML with MathML beside it;
 * in a browser, where katex's style sheet and fonts cannot be read as files, they are MathML alone, which browsers draw themselves.
 *
 * @example
 * const loss = (w: Tensor, x: Tensor) => sum(tanh(matmul(x, w)))
 * const explanation = explain(loss, [tensor([[0.5], [0.2]]), tensor([[1, 3]])], { of: "0[1,0]" })
 * const page = await renderHtml(explanation)
 * page.slice(0, 15)  // "<!doctype html>"
 */
export async function renderHtml(explanation: Explanation): Promise<string> {
  const [katex, dagre] = await Promise.all([loadKatex(), loadDagre()])
  return htmlOf(explanation, new Formulas(katex, katexFiles()), figureOf(explanation, dagre))
}

/**
 * The adjoint graph as an SVG image: a box for each application that the scalar reaches, layers and turns as frames, and on each arrow
 * what the paths along it contribute and how many they are; thick arrows carry much, dashed ones are negative. Of large graphs at most
 * 80 boxes are drawn: the largest parts open, the others are put together.
 *
 * Needs the package @dagrejs/dagre; throws an Error that says how to install it.
 *
 * @example
 * const loss = (w: Tensor, x: Tensor) => sum(tanh(matmul(x, w)))
 * const explanation = explain(loss, [tensor([[0.5], [0.2]]), tensor([[1, 3]])], { of: "0[1,0]" })
 * const image = await renderSvg(explanation)
 * image.slice(0, 4)  // "<svg"
 */
export async function renderSvg(explanation: Explanation): Promise<string> {
  return `${figureOf(explanation, await loadDagre(), GRAPH_STYLE).svg}\n`
}

/** The page with formulas and figure as they are given. */
export async function htmlOf(e: Explanation, formulas: Formulas, figure: Figure): Promise<string> {
  const sections = [
    blockedSection(e),
    graphSection(e, figure),
    pathsSection(e, formulas),
    restSection(e),
    usesSection(e),
    groupsSection(e),
    updateSection(e),
    checkSection(e),
  ].filter(s => s !== undefined)
  const head = headOf(e, sections, formulas)
  const title = escaped(say.chains.title(e.of.name, number(e.of.value)))
  return `<!doctype html>
<html lang="${page.language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy()}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${PAGE_STYLE}${await formulas.styles()}</style>
</head>
<body>
${head}<main>
${sections.map(sectionHtml).join("")}</main>
<script>${SCRIPT}</script>
</body>
</html>
`
}

/** The page may use what it holds, and the browser keeps it from asking for more. */
function policy(): string {
  const checksum = Uint8Array.from(sha256(new TextEncoder().encode(SCRIPT)).match(/../g)!, hex => Number.parseInt(hex, 16))
  return [
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    "font-src data:",
    `script-src 'sha256-${base64(checksum)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ")
}

function headOf(e: Explanation, sections: readonly Section[], formulas: Formulas): string {
  const { of, error, numberOfPaths, agrees, verdict, gradient: slope } = e
  const links = sections.map(({ id, title }) => `<li><a href="#${id}">${escaped(title)}</a></li>`)
  return `<header>
<h1>${escaped(page.heading)} ${nameOf(of.name)}</h1>
<p>${escaped(page.summary(number(of.value), number(error), say.chains.paths(spaced(numberOfPaths))))}</p>
<p class="formula">${formulas.tex(gradient(slope))}</p>
<p class="soft">${escaped(page.chainRule)}</p>
<p class="verdict${agrees ? "" : " odd"}"><strong>${escaped(agrees ? page.agrees : page.disagrees)}</strong> ${escaped(verdict)}</p>
<nav aria-label="${escaped(page.contents)}"><ul>${links.join("")}</ul></nav>
<p><button type="button" data-open="true" hidden>${escaped(page.openAll)}</button><button type="button" data-open="false" hidden>${escaped(page.closeAll)}</button></p>
</header>
`
}
