// Charts as SVG text, by echarts. Loaded for reports alone; the build puts the parts that are used here into a file of their own.
import { LineChart, ScatterChart } from "echarts/charts"
import { GridComponent, LegendComponent } from "echarts/components"
import { type EChartsCoreOption, init, use } from "echarts/core"
import { SVGRenderer } from "echarts/renderers"
import { escaped } from "../../explain/html/escape.ts"

type Point = readonly [x: number, y: number]
export interface Chart {
  /** For those who do not see it. */
  readonly label: string
  readonly x: string
  readonly y: string
  readonly logarithmic?: boolean
  /** From 0 to 1 both ways, or upwards. */
  readonly shares?: boolean
  readonly share?: boolean
  readonly series: readonly {
    readonly name: string
    readonly points: readonly Point[]
    /** Steps are the counts of a histogram, each from its x to the next one. */
    readonly kind?: "line" | "dashed" | "dots" | "steps"
  }[]
}

/** Small, so that letters stay readable where the screen is a phone's. */
const SIZE = { width: 420, height: 290 }
const COLORS = ["var(--pos)", "var(--neg)", "var(--ink)", "var(--zero)"]
/** Lines can be told apart without colours. */
const LINES = ["solid", "dashed", "dotted"] as const
const FONT = 'system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif'

let ready = false
/** The chart as an SVG element that takes its colours from the page. */
export function svgOf(chart: Chart): string {
  if (!ready) use([GridComponent, LegendComponent, LineChart, ScatterChart, SVGRenderer])
  ready = true
  const drawing = init(null, null, { renderer: "svg", ssr: true, ...SIZE })
  drawing.setOption(optionOf(chart))
  const svg = drawing.renderToSVGString()
  drawing.dispose()
  return svg.replace("<svg ", `<svg role="img" aria-label="${escaped(chart.label)}" `)
}

function optionOf({ x, y, logarithmic = false, shares = false, share = shares, series }: Chart): EChartsCoreOption {
  const counts = series.some(({ kind }) => kind === "steps")
  const text = { color: "var(--ink)", fontSize: 14, fontFamily: FONT }
  const axis = (name: string) => ({
    ...{ name, nameTextStyle: text, nameLocation: "middle", axisLabel: text, scale: true, type: "value" },
    axisLine: { show: true, lineStyle: { color: "var(--soft)" } },
    splitLine: { lineStyle: { color: "var(--line)" } },
  })
  const whole = { min: 0, max: 1, interval: 0.25 }
  return {
    animation: false,
    textStyle: text,
    color: COLORS,
    legend: { show: series.length > 1, top: 0, textStyle: text, data: series.map(({ name }) => name) },
    grid: { left: 64, right: 18, top: series.length > 1 ? 34 : 14, bottom: 48, containLabel: false },
    xAxis: { ...axis(x), nameGap: 28, splitNumber: 4, ...(shares && whole) },
    yAxis: { ...axis(y), nameGap: 46, splitNumber: 4, ...(share && whole), ...(counts && { min: 0 }), ...(logarithmic && { type: "log" }) },
    series: series.map(({ name, points, kind = "line" }, i) => {
      const color = COLORS[i]
      if (kind === "dots") return { type: "scatter", name, data: points, symbolSize: 6, itemStyle: { color, opacity: 0.6 } }
      return {
        ...{ type: "line", name, data: points, showSymbol: points.length === 1, silent: true },
        lineStyle: { color, width: 2, type: kind === "dashed" ? "dashed" : LINES[i] },
        ...(kind === "steps" && { step: "end", showSymbol: false, areaStyle: { color, opacity: 0.3 } }),
      }
    }),
  }
}
