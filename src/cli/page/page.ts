// report.html: one page that needs nothing else, neither style nor script nor network.
import { escaped, nameOf } from "../../explain/html/escape.ts"
import { PAGE_STYLE } from "../../explain/html/style.ts"
import { foldsText } from "../report.ts"
import type { Results } from "../results.ts"
import type { Environment, EpochLine, MetricsLine, RunConfig } from "../run-folder.ts"
import { type ClassScore, isClassScore, type NumberScore } from "../scores.ts"
import { aligned, grouped, percent, show } from "../terminal.ts"
import { answers } from "./answers.ts"
import type { Chart } from "./charts.ts"
import { charts, page, table } from "./parts.ts"

/** All that a report tells. */
export interface ReportContent {
  readonly name: string
  readonly config: RunConfig
  readonly environment: Environment
  readonly metrics: readonly MetricsLine[]
  /** The model, a line for each layer. */
  readonly model: string
  readonly results: Results
}

const STYLE = `${PAGE_STYLE}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:1rem}
figure{margin:0;break-inside:avoid}
figure svg{display:block;width:100%;height:auto;max-width:34rem}
figcaption{font-weight:600}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .6rem;border:1px solid var(--line);text-align:right}
th:first-child,td:first-child{text-align:left}
td{white-space:nowrap}
td.right{background:color-mix(in srgb,var(--pos) 22%,var(--paper))}
td.wrong{background:color-mix(in srgb,var(--neg) 22%,var(--paper))}
pre{overflow-x:auto;background:var(--ground);padding:.7rem;font-size:.85rem}
.finding{border-left:4px solid var(--neg);background:var(--ground);padding:.4rem .9rem;margin:.6rem 0}
`

/** The report of a run as one HTML page. */
export function pageOf(content: ReportContent): string {
  const { name, results, config, environment, model } = content
  const sections = [
    section("Result", resultOf(results)),
    section("Curves", charts(curves(content))),
    section("Answers", answers(results)),
    section("Health", health(content)),
    section("Data", dataOf(results)),
    section("Model", `<pre tabindex="0">${escaped(model)}</pre>`),
    section("Settings", listed("Settings", config.settings)),
    section("Environment", listed("Environment", { ...environment })),
  ]
  const title = `${name}: ${results.target.name}`
  return page(title, STYLE, sections.filter(s => s !== "").join("\n"))
}

const section = (title: string, html: string): string => (html === "" ? "" : `<section><h2>${title}</h2>\n${html}</section>`)
function resultOf({ entries, stopped, data, target, crossValidation }: Results): string {
  const what = target.kind === "class" ? `one of ${target.values.length} classes` : "a number"
  const said = `<p>Predicts ${nameOf(target.name)}, ${what}, of ${nameOf(data.name)}.${stopped ? " The training was stopped before its end." : ""}</p>`
  const first = entries[0]?.score
  if (!first && crossValidation) return `${said}<p>Cross-validation: ${escaped(foldsText(crossValidation))}.</p>`
  if (!first) return `${said}<p>No rows were held out for a test.</p>`
  const on = `On ${grouped(first.rows)} rows that training has not seen`
  if (isClassScore(first)) {
    const isBalanced = first.balancedAccuracy !== undefined
    const shares = ({ accuracy, balancedAccuracy }: ClassScore): string[] =>
      (isBalanced ? [accuracy, balancedAccuracy!] : [accuracy]).map(share => percent(share))
    const rows = entries.map(({ name, score }) => [name, ...shares(score as ClassScore)])
    return said + table(on, [on, "accuracy", ...(isBalanced ? ["balanced accuracy"] : [])], rows)
  }
  const rows = entries.map(({ name, score }) => {
    const { rmse, mae, r2 } = score as NumberScore
    return [name, aligned(rmse), aligned(mae), r2 === null || Number.isNaN(r2) ? "-" : r2.toFixed(3)]
  })
  return said + table(on, [on, "RMSE", "mean error", "R²"], rows)
}

/** Whether a scale of powers of ten shows more: they need two of them to be read. */
const spansDecades = (ys: readonly number[]): boolean => {
  const [low, high] = [ys.reduce((a, b) => Math.min(a, b)), ys.reduce((a, b) => Math.max(a, b))]
  return low > 0 && high / low > 100
}

function curves({ metrics }: ReportContent): Chart[] {
  const epochs = metrics.filter((line): line is EpochLine => line.event === "epoch")
  if (epochs.length === 0) return []
  const by = (y: (line: EpochLine) => number | undefined) =>
    epochs.flatMap(line => (y(line) === undefined ? [] : [[line.epoch, y(line)!] as const]))
  const losses = [
    { name: "training", points: by(line => line.loss) },
    { name: "validation", points: by(line => line.validation?.loss) },
  ].filter(({ points }) => points.length > 0)
  const found: Chart[] = [
    { label: "Loss", x: "epoch", y: "loss", logarithmic: spansDecades(losses.flatMap(s => s.points.map(([, y]) => y))), series: losses },
  ]
  for (const metric of Object.keys(epochs[0]!.validation ?? {}).filter(name => name !== "loss")) {
    const words = metric.replace(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`)
    found.push({
      label: `Validation: ${words}`,
      x: "epoch",
      y: words,
      ...(metric === "accuracy" && { share: true }),
      series: [{ name: metric, points: by(l => l.validation?.[metric]) }],
    })
  }
  found.push({ label: "Learning rate", x: "epoch", y: "rate", series: [{ name: "rate", points: by(line => line.learningRate) }] })
  return found
}

function health({ metrics }: ReportContent): string {
  const findings = metrics.filter(line => line.event === "finding")
  if (findings.length === 0) return "<p>Nothing was found to be wrong with the training.</p>"
  return findings
    .map(
      ({ message, advice, step }) =>
        `<div class="finding"><p>${escaped(message)}</p><p>${escaped(advice)}</p><p class="soft">Step ${step}</p></div>`,
    )
    .join("\n")
}

function dataOf({ data, notes }: Results): string {
  const { name, inputs, training, validation } = data
  const rows = [
    ["name", name],
    ["inputs of the model", grouped(inputs)],
    ["rows for training", grouped(training)],
    ["rows for validation", grouped(validation)],
  ]
  return table("Data", ["", ""], rows).replace(/<thead>.*<\/thead>/, "") + notes.map(note => `<p>${escaped(note)}</p>`).join("")
}

function listed(label: string, values: Readonly<Record<string, unknown>>): string {
  const text = (value: unknown): string =>
    Array.isArray(value) ? value.join(", ") || "none" : typeof value === "number" ? show(value) : String(value)
  const rows = Object.entries(values).map(([name, value]) => [name, text(value)])
  return table(label, ["", ""], rows).replace(/<thead>.*<\/thead>/, "")
}
