// Chains of derivatives in plain text.
import { digits } from "./digits.ts"
import type { Explanation, Factor, Group, Path, Rest, Share } from "./explanation.ts"
import { aligned, INDENT, table, WIDTH, widest, wrap } from "./layout.ts"
import { say } from "./messages/index.ts"
import type { NetworkExplanation } from "./network-explanation.ts"
import { renderNetwork } from "./network-text.ts"

const words = say.chains

/**
 * An explanation as text of at most 80 columns: for a function its paths, what is summed, and the check; for a dense network forward,
 * backward, chain, check, reading, step.
 *
 * @example
 * const network = { layers: [{ w: [[0.5], [0.2]], b: [1.83], activation: "logistic" }], loss: "half squared error" } as const
 * const text = renderText(explainNetwork(network, { x: [0.1, 0.3], target: 0.03 }))
 * text.split("\n")[0]  // "One logistic neuron with 2 inputs; E is the half squared error"
 */
export const renderText = (explanation: Explanation | NetworkExplanation): string =>
  "network" in explanation ? renderNetwork(explanation) : chains(explanation)

function chains(e: Explanation): string {
  const parts: string[][] = [title(e)]
  if (e.paths.length) parts.push([words.pathsTitle(e.paths.length)])
  parts.push(...e.paths.map((p, i) => path(p, i, e)))
  if (e.rest.branches.largest.length)
    parts.push([words.restTitle, ...shares(e.rest.branches.largest, e.rest.branches.others), ...total(e.rest)])
  if (e.uses.largest.length > 1) parts.push([words.usesTitle, ...shares(e.uses.largest, e.uses.others)])
  parts.push(...groups(e), ...units(e), ...blocked(e), ...update(e), check(e))
  return parts.map(lines => lines.join("\n")).join("\n\n")
}

function title({ of, error, numberOfPaths }: Explanation): string[] {
  const summary = words.summary(words.paths(spaced(numberOfPaths)), digits(error))
  return [...wrap(words.title(of.name, digits(of.value)), 2), ...wrap(summary, 2)]
}
/** 1234567 as "1 234 567". */
export const spaced = (n: number | string): string => `${n}`.replaceAll(/\B(?=(\d{3})+$)/g, " ")

/** Lines of at most WIDTH, long ones broken at blanks or, where there are none, at signs of names. */
function path(p: Path, i: number, { numberOfPaths, gradient }: Explanation): string[] {
  const share = gradient === 0 ? "" : ` (${Number(((100 * p.contribution) / gradient).toPrecision(3))} %)`
  const shown = p.factors.filter(f => !f.copy)
  const copies = p.factors.length - shown.length
  const rows = shown.flatMap(factor)
  return [
    `${words.path(i + 1, spaced(numberOfPaths))}: ${digits(p.contribution)}${share}`,
    ...factorTable(rows),
    ...(copies ? wrap(`${INDENT}${words.copies(copies)}`, 4) : []),
  ]
}

interface Row {
  readonly left: string
  readonly formula: string
  readonly value?: number
  readonly check?: number
}
/** The derivative, and below it what it is by, with their numbers. */
const factor = ({ result, by, formula, numbers, value, check }: Factor): Row[] => [
  { left: `d ${result.name}`, formula: numbers === undefined ? formula : `${formula} = ${numbers}`, value, check },
  { left: `  / d ${by.name} = ${digits(by.value)}`, formula: "" },
]
/** Formulas stand on the line of the operand where both do not fit beside the numbers. */
function factorTable(rows: readonly Row[]): string[] {
  const numbers = [aligned(rows.map(r => r.value)), aligned(rows.map(r => r.check))]
  const heads = [words.columns.derivative, words.columns.value, words.columns.measured]
  const right = table([rows.map(() => ""), ...numbers], ["", ...heads.slice(1)]).map(line => line.slice(INDENT.length))
  const room = WIDTH - widest(right) - INDENT.length
  const head = `${INDENT}${heads[0]!.padEnd(room)}${right[0]}`
  const lines = rows.flatMap((r, i) => {
    if (r.value === undefined) return wrapped(r.left, 6)
    const [first, ...more] = cut(r.left, room)
    const formula = r.formula ? wrapped(`= ${r.formula}`, 4) : []
    return [`${INDENT}${first!.padEnd(room)}${right[i + 1]}`.trimEnd(), ...more.map(m => `${INDENT}${INDENT}${m}`), ...formula]
  })
  return rows.length ? [head, ...lines] : []
}
const wrapped = (line: string, hang: number): string[] => {
  const whole = `${INDENT}${INDENT}${line.trimStart()}`
  return wrap(whole, hang).flatMap(l => cut(l, WIDTH))
}
/** Pieces of at most `room` characters, cut behind slashes if there are any. */
export function cut(text: string, room: number): string[] {
  if (text.length <= room) return [text]
  const slash = text.lastIndexOf("/", room - 1)
  const at = slash > room / 3 ? slash + 1 : room
  return [text.slice(0, at), ...cut(text.slice(at), room)]
}

function shares(all: readonly Share[], others: (Rest & { readonly shares: number }) | undefined): string[] {
  const rows = [...all, ...(others ? [{ ...others, name: words.others(others.shares) }] : [])]
  const numbers = [aligned(rows.map(r => r.contribution)), rows.map(r => spaced(r.count))]
  const { contribution, count } = words.columns
  const right = table([rows.map(() => ""), ...numbers], ["", contribution, count]).map(line => line.slice(INDENT.length))
  const room = WIDTH - widest(right) - INDENT.length
  const names = rows.map(r => cut(r.name, room))
  const width = Math.min(room, widest(names.flat()))
  return [
    `${INDENT}${" ".repeat(width)}${right[0]}`,
    ...names.flatMap((pieces, i) => [
      ...pieces.slice(0, -1).map(piece => INDENT + piece),
      `${INDENT}${pieces.at(-1)!.padEnd(width)}${right[i + 1]}`.trimEnd(),
    ]),
  ]
}
const total = ({ count, contribution }: Rest): string[] => [`${INDENT}${words.rest(spaced(count))}: ${digits(contribution)}`]

/** Parts of the program, inner ones indented. */
function groups({ groups: top }: Explanation): string[][] {
  const rows: Share[] = []
  const visit = (g: Group, depth: number): void => {
    rows.push({ ...g, name: " ".repeat(2 * depth) + g.name })
    for (const inner of g.groups) visit(inner, depth + 1)
  }
  for (const g of top.groups) visit(g, 0)
  return rows.length ? [[words.groupsTitle, ...shares(rows.slice(0, GROUPS), undefined), ...more(rows.length - GROUPS)]] : []
}
const GROUPS = 24
const more = (n: number): string[] => (n > 0 ? [`${INDENT}${words.others(n)}`] : [])

/** The units of composites and of applications within a layer that have several. */
function units({ applications }: Explanation): string[][] {
  const several = applications.filter(a => a.units.largest.length > 1)
  const shown = several.slice(-LAYERS)
  if (!shown.length) return []
  return [[words.unitsTitle, ...shown.flatMap(a => shares(a.units.largest.slice(0, UNITS), remaining(a.units)))]]
}
const LAYERS = 3
const UNITS = 4
/** Shares that are in the data but not in the text go to the others. */
function remaining({ largest, others }: Explanation["rest"]["branches"]): (Rest & { shares: number }) | undefined {
  const left: (Rest & { readonly shares?: number })[] = [...largest.slice(UNITS), ...(others ? [others] : [])]
  if (!left.length) return undefined
  const count = left.reduce((n, s) => n + BigInt(s.count), 0n)
  return {
    contribution: left.reduce((sum, s) => sum + s.contribution, 0),
    count: count.toString(),
    shares: left.reduce((n, s) => n + (s.shares ?? 1), 0),
  }
}

/** Why a slope is 0 is a question only where it is. */
function blocked({ blocked: { places, others }, sumOfPaths }: Explanation): string[][] {
  if (sumOfPaths !== 0 || !places.length) return []
  return [
    [words.blockedTitle, ...places.flatMap(p => wrapped(p.sentence, 6)), ...(others ? [`${INDENT}${INDENT}${words.more(others)}`] : [])],
  ]
}

function update({ update: u }: Explanation): string[][] {
  if (!u) return []
  const rows = u.lines.map(l => [l.symbol, ` = ${l.formula}`])
  const values = aligned(u.lines.map(l => l.value))
  const changes = (["alone", "all"] as const).flatMap(k => wrap(`${INDENT}${words[k](digits(u[k].predicted), digits(u[k].actual))}`, 2))
  return [
    [words.updateTitle(u.optimizer), ...table([rows.map(r => r[0]!), rows.map(r => r[1]!), values], ["", "", ""], 2).slice(1), ...changes],
  ]
}

function check(e: Explanation): string[] {
  const rows: [string, number][] = [
    [words.sum, e.sumOfPaths],
    [words.gradient, e.gradient],
    [words.differences, e.finiteDifference],
  ]
  const lines = table([rows.map(r => r[0]), aligned(rows.map(r => r[1]))], ["", ""]).slice(1)
  const none = e.paths.length === 0 && e.blocked.places.length === 0 ? wrap(INDENT + words.unreached, 2) : []
  return [words.checkTitle, ...lines, ...none, ...wrap(INDENT + e.verdict, 2)]
}
