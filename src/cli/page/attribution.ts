// Attributions as a page: columns with bars, or an image with its heat map.
import { escaped } from "../../explain/html/escape.ts"
import { PAGE_STYLE } from "../../explain/html/style.ts"
import type { AttributionResult } from "../attribution.ts"
import { grouped, show } from "../terminal.ts"
import { page, table } from "./parts.ts"

const STYLE = `${PAGE_STYLE}
.images{display:flex;flex-wrap:wrap;gap:1.5rem}
figure{margin:.5rem 0;break-inside:avoid}
figure svg{display:block;width:min(20rem,100%);height:auto;border:1px solid var(--line)}
svg .pos{fill:var(--pos)}
svg .neg{fill:var(--neg)}
svg .light{fill:var(--ink)}
svg rect{print-color-adjust:exact;-webkit-print-color-adjust:exact}
td,th{text-align:right;font-variant-numeric:tabular-nums}
th:first-child,td:first-child{text-align:left}
`

export function attributionPage(result: AttributionResult, data: string): string {
  const { row, rows, target, prediction, output, baseline, gap } = result
  const title = `${target}: ${row === undefined ? `${grouped(rows!)} rows` : `row ${row}`} of ${data}`
  const said =
    row === undefined
      ? "Mean absolute attributions to the predicted output."
      : `Predicted ${prediction}; the output is ${show(output!)}, at the baseline ${show(baseline!)}.`
  const main = [
    `<p>${escaped(said)}</p>`,
    result.image ? images(result.image) : columnTable(result),
    `<p class="soft">Integrated gradients; they add up to the difference of both outputs but for ${gap.toExponential(1)}.</p>`,
  ]
  return page(title, STYLE, main.join("\n"))
}

function columnTable({ columns = [], row }: AttributionResult): string {
  const most = Math.max(...columns.map(c => Math.abs(c.attribution))) || 1
  const bar = (a: number): string =>
    `${show(a)}<span class="bar ${a < 0 ? "neg" : a === 0 ? "zero" : "pos"}" style="--w:${((6 * Math.abs(a)) / most).toFixed(2)}rem"></span>`
  const cells = columns.map(c => [...[c.name, ...(c.value === undefined ? [] : [c.value])], { html: bar(c.attribution), as: "c" }])
  return table("Attributions", ["column", ...(row === undefined ? [] : ["value"]), "attribution"], cells)
}

/** Larger images are drawn by blocks: more squares would not be seen. */
const MOST = 64

/** The image in grey, and what raises the output in blue, what lowers it in orange. */
function images({ shape, pixels, attributions }: NonNullable<AttributionResult["image"]>): string {
  const [grey, heat] = [grid(shape, pixels), grid(shape, attributions)]
  const brightest = grey.cells.reduce((a, b) => Math.max(a, b), 0) || 1
  const most = heat.cells.reduce((a, b) => Math.max(a, Math.abs(b)), 0) || 1
  return `<div class="images">
<figure>${svg("The image", grey, x => ["light", x / brightest])}<figcaption>the image</figcaption></figure>
<figure>${svg("Attributions", heat, x => [x < 0 ? "neg" : "pos", Math.abs(x) / most])}<figcaption>blue raises the output, orange lowers it; the strongest is ${escaped(show(most))}</figcaption></figure>
</div>`
}

interface Grid {
  readonly width: number
  readonly height: number
  readonly cells: Float64Array
}

/** [height, width] or [height, width, channels] as sums over channels and blocks; anything else in one line. */
function grid(shape: readonly number[], values: readonly number[]): Grid {
  const [h, w, channels] =
    shape.length === 2 ? [shape[0]!, shape[1]!, 1] : shape.length === 3 ? [shape[0]!, shape[1]!, shape[2]!] : [1, values.length, 1]
  const block = Math.ceil(Math.max(h, w) / MOST)
  const [height, width] = [Math.ceil(h / block), Math.ceil(w / block)]
  const cells = new Float64Array(height * width)
  values.forEach((v, i) => {
    const place = Math.floor(i / channels)
    cells[Math.floor(Math.floor(place / w) / block) * width + Math.floor((place % w) / block)]! += v
  })
  return { width, height, cells }
}

function svg(label: string, { width, height, cells }: Grid, look: (x: number) => readonly [name: string, strength: number]): string {
  const squares = Array.from(cells, (x, i) => {
    const [name, strength] = look(x)
    if (strength < 0.005) return ""
    return `<rect class="${name}" x="${i % width}" y="${Math.floor(i / width)}" width="1" height="1" fill-opacity="${strength.toFixed(2)}"/>`
  })
  return `<svg role="img" aria-label="${label}" viewBox="0 0 ${width} ${height}" shape-rendering="crispEdges">${squares.join("")}</svg>`
}
