// Pictures for the examples, as SVG text: `line` draws curves, `surface` an error over two weights with the way taken on it. They go into the
// folder OUT, by default runs/examples. This is no example itself.
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { jit, type Tensor, tensor, vmap } from "adjoint"
import { CustomChart, LineChart } from "echarts/charts"
import { GridComponent, LegendComponent, TitleComponent, VisualMapComponent } from "echarts/components"
import { type EChartsCoreOption, init, use } from "echarts/core"
import { SVGRenderer } from "echarts/renderers"

use([CustomChart, GridComponent, LegendComponent, LineChart, SVGRenderer, TitleComponent, VisualMapComponent])

type Point = readonly [x: number, y: number]
export interface LineOptions {
  readonly title: string
  readonly x: string
  readonly y: string
  /** Draws powers of ten at equal distances, for errors that fall by many of them. Default: false. */
  readonly logarithmic?: boolean
}

/** Curves by name, as points. Returns the file written. */
export function line(
  file: string,
  { title, x, y, logarithmic = false }: LineOptions,
  curves: Readonly<Record<string, readonly Point[]>>,
): string {
  const series = Object.entries(curves).map(([name, data]) => ({ type: "line", name, data, showSymbol: false }))
  const exponents = series.flatMap(s => s.data.map(([, value]) => Math.log10(value)))
  const ends = { min: 10 ** Math.floor(Math.min(...exponents)), max: 10 ** Math.ceil(Math.max(...exponents)) }
  const powers = { type: "log", ...ends, axisLabel: { formatter: (value: number) => value.toExponential(0) } }
  return write(file, {
    ...{ title: { text: title }, legend: { top: 38, show: series.length > 1 }, grid: { top: 80 }, series },
    xAxis: { ...axis(x), scale: true },
    yAxis: { ...axis(y), nameLocation: "end", nameGap: 12, scale: true, ...(logarithmic && powers) },
  })
}

/** E over a square of two weights as colours, dark where it is low, and the `way` over it. Returns the file written. */
export function surface(file: string, title: string, E: (w: Tensor) => Tensor, size: number, way: readonly Point[] = []): string {
  const cells = 48
  const middle = (i: number) => size * ((2 * i + 1) / cells - 1)
  const data = Array.from({ length: cells ** 2 }, (_, i) => [middle(i % cells), middle(Math.floor(i / cells))])
  const heights = jit(vmap(E))(tensor(data)).values()
  const half = size / cells
  const square = {
    ...{ type: "custom", data: data.map((at, i) => [...at, heights[i]!]), encode: { x: 0, y: 1 } },
    renderItem(_: unknown, api: any) {
      const [left, top] = api.coord([api.value(0) - half, api.value(1) + half])
      const [right, bottom] = api.coord([api.value(0) + half, api.value(1) - half])
      const shape = { x: left, y: top, width: right - left + 0.8, height: bottom - top + 0.8 }
      return { type: "rect", shape, style: { fill: api.visual("color") } }
    },
  }
  const ends = { min: -size, max: size }
  const visualMap = {
    min: Math.min(...heights),
    max: Math.max(...heights),
    dimension: 2,
    seriesIndex: 0,
    right: 0,
    top: "middle",
    precision: 2,
  }
  return write(file, {
    ...{ title: { text: title }, series: [square, { type: "line", data: way, symbolSize: 5, color: "#d1242f" }] },
    visualMap: { ...visualMap, calculable: true, inRange: { color: ["#0b1f3f", "#2f6f9f", "#9fd0c0", "#fdf6d8"] } },
    ...{ xAxis: { ...axis("w1"), ...ends }, yAxis: { ...axis("w2"), ...ends }, grid: { right: 90 } },
  })
}

const axis = (name: string) => ({ type: "value", name, nameLocation: "middle", nameGap: 28 })
function write(file: string, option: EChartsCoreOption): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, width: 640, height: 480 })
  chart.setOption({ animation: false, ...option })
  const folder = process.env.OUT ?? "runs/examples"
  mkdirSync(folder, { recursive: true })
  const path = join(folder, file)
  writeFileSync(path, chart.renderToSVGString())
  chart.dispose()
  return path
}
