// The parts of a page, each a section with a heading.
import type { Application, Explanation, Factor, Group, Path, Rest, Shares } from "../explanation.ts"
import { say } from "../messages/index.ts"
import { spaced } from "../text.ts"
import type { Figure } from "./drawing.ts"
import { escaped, nameOf } from "./escape.ts"
import { derivative, type Formulas, product } from "./formulas.ts"
import { number, pathsOf, signed, signOf } from "./numbers.ts"

const words = say.chains
const page = say.page

export interface Section {
  readonly id: string
  readonly title: string
  readonly html: string
}
export const sectionHtml = ({ id, title, html }: Section): string =>
  `<section aria-labelledby="${id}"><h2 id="${id}">${escaped(title)}</h2>\n${html}</section>\n`

// tables

interface Column {
  readonly head: string
  /** Numbers stand on the right; long counts may break between their groups of digits. */
  readonly kind?: "number" | "count"
}
const CLASSES = { text: "", number: ' class="n"', count: ' class="c"' }

/** Cells are markup; that of column `heads` is the head of its row. */
function table(caption: string, columns: readonly Column[], rows: readonly (readonly string[])[], { look = "", heads = 0 } = {}): string {
  const kind = (c: number): string => CLASSES[columns[c]!.kind ?? "text"]
  const head = columns.map(({ head }, c) => `<th scope="col"${kind(c)}>${escaped(head)}</th>`).join("")
  const cell = (html: string, c: number): string => (c === heads ? `<th scope="row"${kind(c)}>${html}</th>` : `<td${kind(c)}>${html}</td>`)
  const body = rows.map(cells => `<tr>${cells.map(cell).join("")}</tr>`)
  return `<table${look && ` class="${look}"`}><caption>${escaped(caption)}</caption>
<thead><tr>${head}</tr></thead>
<tbody>
${body.join("\n")}
</tbody></table>\n`
}
/** What is wider than the screen moves in a box of its own, by keys too. */
const scrolling = (label: string, html: string, look = "scroll"): string =>
  `<div class="${look}" role="group" tabindex="0" aria-label="${escaped(label)}">${html}</div>\n`
const details = (summary: string, inside: string, { open = false, look = "" } = {}): string =>
  `<details${look && ` class="${look}"`}${open ? " open" : ""}><summary>${summary}</summary><div class="inside">\n${inside}</div></details>\n`
/** As long as the share that x has of the largest. */
const bar = (x: number, largest: number): string =>
  `<span class="bar ${signOf(x)}" aria-hidden="true" style="--w:${largest > 0 ? ((100 * Math.abs(x)) / largest).toFixed(1) : 0}%"></span>`

function sharesTable(caption: string, { largest, others }: Shares): string {
  const all: (Rest & { html: string })[] = largest.map(s => ({ ...s, html: nameOf(s.name) }))
  if (others) all.push({ ...others, html: escaped(words.others(others.shares)) })
  const most = all.reduce((m, s) => Math.max(m, Math.abs(s.contribution)), 0)
  const { contribution, count } = words.columns
  return table(
    caption,
    [{ head: page.place }, { head: contribution, kind: "number" }, { head: count, kind: "count" }],
    all.map(s => [s.html, signed(s.contribution) + bar(s.contribution, most), spaced(s.count)]),
  )
}

// sections

export function checkSection(e: Explanation): Section {
  const rows: [string, number][] = [
    [words.sum, e.sumOfPaths],
    [words.gradient, e.gradient],
    [words.differences, e.finiteDifference],
  ]
  const html = table(
    page.checkCaption,
    [{ head: page.way }, { head: "dE/dw", kind: "number" }],
    rows.map(([name, x]) => [escaped(name), number(x)]),
  )
  return { id: "check", title: words.checkTitle, html }
}

/** In pixels: the width of a page; and on paper, what has room below the head of the page. */
const WIDE = 950
const TALL = 900
export function graphSection({ of, numberOfPaths }: Explanation, { svg, width, height, note, drawing }: Figure): Section {
  const legend = [numberOfPaths === 0 ? page.blockedLegend : page.legend, note].filter(Boolean).map(escaped).join(" ")
  const fit = width > WIDE ? `<label class="screen"><input type="checkbox" class="fit"> ${escaped(page.fit)}</label>\n` : ""
  const figure = `<figure>${fit}${scrolling(page.graphOf(of.name), svg, height > TALL ? "graph tall" : "graph")}<figcaption>${legend}</figcaption></figure>\n`
  const title = (id: number): string => {
    const box = drawing.boxes[id]
    if (!box) return nameOf(of.name)
    const [only, ...others] = box.applications
    if (!others.length) return nameOf([...only!.scope, only!.operation].join("/"))
    return `${nameOf((box.group ?? box.within.at(-1))?.path.join("/") || page.program)} (${page.applications(box.applications.length)})`
  }
  const { contribution, count } = words.columns
  const columns: Column[] = [{ head: page.from }, { head: page.to }, { head: contribution, kind: "number" }, { head: count, kind: "count" }]
  const rows = drawing.arrows.map(a => [title(a.from), title(a.to), signed(a.contribution), spaced(a.count)])
  const asTable = rows.length
    ? `<div class="screen">${details(escaped(page.arrowsTitle), scrolling(page.arrowsCaption, table(page.arrowsCaption, columns, rows)))}</div>`
    : ""
  return { id: "graph", title: page.graphTitle, html: figure + asTable }
}

export function pathsSection(e: Explanation, formulas: Formulas): Section | undefined {
  if (!e.paths.length) return undefined
  return { id: "paths", title: words.pathsTitle(e.paths.length), html: e.paths.map((p, i) => path(p, i, e, formulas)).join("") }
}
function path(p: Path, i: number, { numberOfPaths, gradient }: Explanation, formulas: Formulas): string {
  const share = gradient === 0 ? "" : ` (${number(Number(((100 * p.contribution) / gradient).toPrecision(3)))} %)`
  const title = words.path(i + 1, spaced(numberOfPaths))
  const shown = p.factors.filter(f => !f.copy)
  const copies = p.factors.length - shown.length
  const { derivative: what, formula, value, measured } = words.columns
  const columns: Column[] = [
    { head: what },
    { head: page.ofBy },
    { head: formula },
    { head: value, kind: "number" },
    { head: measured, kind: "number" },
  ]
  const rows = shown.map((f, k) => factor(f, k, shown.length, formulas))
  const whole = formulas.tex(
    product(
      shown.map(f => f.value),
      p.contribution,
    ),
  )
  const inside = [
    `<p class="formula">${whole}</p>\n`,
    rows.length ? scrolling(page.factors(i + 1), table(page.factors(i + 1), columns, rows, { look: "factors", heads: 1 })) : "",
    copies ? `<p class="soft">${escaped(words.copies(copies))}</p>\n` : "",
  ]
  return details(`<h3>${escaped(title)}</h3>: <span class="sum">${signed(p.contribution)}${share}</span>`, inside.join(""), {
    open: i === 0,
  })
}
function factor({ result, by, latex, numbers, value, check }: Factor, k: number, n: number, formulas: Formulas): string[] {
  const of = (s: typeof by): string => `<span class="of">${nameOf(s.name)} = ${number(s.value)}</span>`
  const put = numbers === undefined ? "" : `<span class="numbers">= ${superscripts(escaped(numbers.replaceAll("-", "−")))}</span>`
  return [formulas.tex(derivative(k, n)), of(result) + of(by), formulas.tex(`\\displaystyle ${latex}`) + put, number(value), number(check)]
}
const superscripts = (text: string): string => text.replaceAll(/\^(\d+)/g, "<sup>$1</sup>")

export function restSection({ rest }: Explanation): Section | undefined {
  if (!rest.branches.largest.length) return undefined
  const total = `<p>${escaped(words.rest(spaced(rest.count)))}: <span class="sum">${signed(rest.contribution)}</span></p>\n`
  return { id: "rest", title: words.restTitle, html: sharesTable(page.restCaption, rest.branches) + total }
}
export function usesSection({ uses }: Explanation): Section | undefined {
  if (uses.largest.length < 2) return undefined
  return { id: "uses", title: words.usesTitle, html: sharesTable(page.usesCaption, uses) }
}

/** With more applications than these their elements are left out on paper. */
const PRINTED = 20
/** As many parts of one group as are listed, the largest of them. */
const LISTED = 40
export function groupsSection(e: Explanation): Section | undefined {
  if (!e.applications.length) return undefined
  const byId = new Map(e.applications.map(a => [a.id, a]))
  const look = e.applications.length > PRINTED ? "brief" : "whole"
  const tree = `<div class="${look}">${parts(e.groups, byId)}</div>\n`
  return { id: "parts", title: words.groupsTitle, html: `<p>${escaped(page.groupsHint)}</p>\n${tree}` }
}
function parts(g: Group, byId: ReadonlyMap<number, Application>): string {
  const first = (part: Group): number => Math.min(...part.applications, ...part.groups.map(first))
  const all = [
    ...g.groups.map(part => ({ at: first(part), size: Math.abs(part.contribution), html: () => groupHtml(part, byId) })),
    ...g.applications
      .flatMap(id => byId.get(id) ?? [])
      .map(a => ({ at: a.id, size: Math.abs(a.contribution), html: () => applicationHtml(a) })),
  ]
  const shown = all.sort((a, b) => b.size - a.size).slice(0, LISTED)
  const items = shown.sort((a, b) => a.at - b.at).map(part => `<li>${part.html()}</li>`)
  if (all.length > LISTED) items.push(`<li class="leaf soft">${escaped(page.smaller(all.length - LISTED))}</li>`)
  return `<ul class="tree">\n${items.join("\n")}\n</ul>\n`
}
const sumHtml = (r: Rest): string => `<span class="sum">${signed(r.contribution)}</span> <span class="soft">${pathsOf(r)}</span>`
const groupHtml = (g: Group, byId: ReadonlyMap<number, Application>): string => details(`${nameOf(g.name)}: ${sumHtml(g)}`, parts(g, byId))
function applicationHtml(a: Application): string {
  const line = `${nameOf(a.operation)} <span class="soft">${page.shape(a.shape)}</span>: ${sumHtml(a)}`
  if (a.units.largest.length < 2) return `<div class="leaf">${line}</div>`
  return details(line, sharesTable(page.unitsCaption(a.operation), a.units), { look: "units" })
}

export function blockedSection({ sumOfPaths, blocked: { places, others }, numberOfPaths }: Explanation): Section | undefined {
  if (sumOfPaths !== 0) return undefined
  const items = places.map(p => `<li>${escaped(p.sentence.replaceAll(/-(?=[\d.])/g, "−"))}</li>`)
  if (others) items.push(`<li class="soft">${escaped(words.more(others))}</li>`)
  if (items.length) return { id: "blocked", title: words.blockedTitle, html: `<ul>${items.join("")}</ul>\n` }
  return numberOfPaths === 0 ? { id: "blocked", title: words.blockedTitle, html: `<p>${escaped(words.unreached)}</p>\n` } : undefined
}

export function updateSection({ update: u }: Explanation): Section | undefined {
  if (!u) return undefined
  const minus = (text: string): string => superscripts(escaped(text.replaceAll("-", "−")))
  const columns: Column[] = [{ head: page.symbol }, { head: words.columns.formula }, { head: page.value, kind: "number" }]
  const rows = u.lines.map(l => [minus(l.symbol), minus(l.formula), number(l.value)])
  const sentences = (["alone", "all"] as const).map(k => `<p>${escaped(words[k](number(u[k].predicted), number(u[k].actual)))}</p>\n`)
  return {
    id: "update",
    title: words.updateTitle(u.optimizer),
    html: scrolling(page.updateCaption, table(page.updateCaption, columns, rows, { look: "arithmetic" })) + sentences.join(""),
  }
}
