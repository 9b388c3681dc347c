// What the sections of a report are made of.
import { escaped } from "../../explain/html/escape.ts"
import { type Chart, svgOf } from "./charts.ts"

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
