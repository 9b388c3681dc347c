// What pages are made of.
import { escaped, nameOf } from "../../explain/html/escape.ts"
import { type Chart, svgOf } from "./charts.ts"

/** A whole page; it needs neither scripts nor a network. `main` is HTML, the title text from anywhere. */
export const page = (title: string, style: string, main: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escaped(title)}</title>
<style>${style}</style>
</head>
<body>
<header><h1>${nameOf(title)}</h1></header>
<main>
${main}
</main>
</body>
</html>
`

const figure = (chart: Chart): string => `<figure><figcaption>${escaped(chart.label)}</figcaption>${svgOf(chart)}</figure>`
export const charts = (all: readonly Chart[]): string => (all.length ? `<div class="charts">${all.map(figure).join("\n")}</div>` : "")

export type Cell = string | { readonly html: string; readonly as: string }
/** With a head for each column; the first cell of a row is its head. */
export function table(label: string, head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const cell = (c: Cell, i: number): string => {
    if (i === 0) return `<th scope="row">${escaped(c as string)}</th>`
    return typeof c === "string" ? `<td>${escaped(c)}</td>` : `<td class="${c.as}">${c.html}</td>`
  }
  const top = head.map(h => `<th scope="col">${escaped(h)}</th>`).join("")
  const body = rows.map(row => `<tr>${row.map(cell).join("")}</tr>`).join("\n")
  return `<div class="scroll" tabindex="0" role="region" aria-label="${escaped(label)}"><table><thead><tr>${top}</tr></thead><tbody>${body}</tbody></table></div>`
}
