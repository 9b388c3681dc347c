// Curves as SVG files, on logarithmic axes. Examples draw by examples/charts.ts, which a Node that takes no TypeScript cannot import.
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { LineChart } from "echarts/charts"
import { GridComponent, LegendComponent, TitleComponent } from "echarts/components"
import { init, use } from "echarts/core"
import { SVGRenderer } from "echarts/renderers"

use([GridComponent, LegendComponent, LineChart, SVGRenderer, TitleComponent])

/** Powers of ten around the values. */
function logarithmic(name, values) {
  const exponents = values.map(Math.log10)
  const ends = { min: 10 ** Math.floor(Math.min(...exponents)), max: 10 ** Math.ceil(Math.max(...exponents)) }
  return { type: "log", name, ...ends, axisLabel: { formatter: value => value.toExponential(0).replace("e+", "e") } }
}

/** Curves by name, as lists of [x, y], all of them above 0. `symbols` marks the points. */
export function curves(file, { title, x, y, symbols = true }, data) {
  const points = Object.values(data).flat()
  const option = {
    ...{ animation: false, backgroundColor: "#fff", title: { text: title, top: 4 }, legend: { top: 38 }, grid: { top: 90, left: 70 } },
    series: Object.entries(data).map(([name, data]) => ({ type: "line", name, data, showSymbol: symbols, symbolSize: 6 })),
    xAxis: { ...logarithmic(x, points.map(p => p[0])), nameLocation: "middle", nameGap: 28 },
    yAxis: { ...logarithmic(y, points.map(p => p[1])), nameLocation: "end", nameGap: 12 },
  } // biome-ignore format: an axis a line
  const chart = init(null, null, { renderer: "svg", ssr: true, width: 640, height: 480 })
  chart.setOption(option)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, chart.renderToSVGString())
  chart.dispose()
}
