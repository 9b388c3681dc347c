// How the answers are: class by class and by rank, or how far numbers are off.
import { type ClassDetail, type Detail, isClassDetail, type NumberDetail, type RankedMetrics } from "../detail.ts"
import type { Curves, Results } from "../results.ts"
import { type ClassScore, isClassScore } from "../scores.ts"
import { grouped, percent, show } from "../terminal.ts"
import type { Chart } from "./charts.ts"
import { type Cell, charts, table } from "./parts.ts"

/** Tables and charts of the answers on the test rows. */
export function answers(results: Results): string {
  const { entries, target } = results
  const score = entries[0]?.score
  const detail = entries[0]?.detail
  const drawn = [...numberCharts(results), ...rankCharts(results), ...calibrationCharts(results)]
  const tables = score && isClassScore(score) && target.kind === "class" ? classTables(score, target.values, detail) : ""
  return tables + charts(drawn) + (detail && !isClassDetail(detail) ? numberTables(detail) : "")
}

const line = (from: readonly [number, number], to: readonly [number, number], name: string) => ({
  ...{ name, kind: "dashed" as const, points: [from, to] as const },
})
const diagonal = (name: string) => line([0, 0], [1, 1], name)
const endsOf = (xs: readonly number[]): readonly [number, number] => [
  xs.reduce((a, b) => Math.min(a, b)),
  xs.reduce((a, b) => Math.max(a, b)),
]

function numberCharts({ target, pairs, residuals }: Results): Chart[] {
  if (!pairs?.length) return []
  const [low, high] = endsOf(pairs.flat())
  const equal = line([low, low], [high, high], "equal")
  const series = [{ name: "rows", kind: "dots" as const, points: pairs }, equal]
  const drawn: Chart[] = [{ label: "Predicted against true", x: `true ${target.name}`, y: "predicted", series }]
  if (!residuals) return drawn
  const { points, edges, counts } = residuals
  const [from, to] = endsOf(points.map(([x]) => x))
  const zero = line([from, 0], [to, 0], "no error")
  const rows = edges.map((edge, i) => [edge, counts[Math.min(i, counts.length - 1)]!] as const)
  return [
    ...drawn,
    { label: "Residuals", x: "predicted", y: "true - predicted", series: [{ name: "rows", kind: "dots", points }, zero] },
    { label: "Histogram of residuals", x: "true - predicted", y: "rows", series: [{ name: "rows", kind: "steps", points: rows }] },
  ]
}

function rankCharts({ target, curves, classCurves = [] }: Results): Chart[] {
  if (target.kind !== "class") return []
  const axes = { x: "false positives", y: "true positives", shares: true }
  const name = (k: number): string => JSON.stringify(target.values[k])
  const area = ({ averagePrecision }: Curves): string => (averagePrecision === undefined ? "" : `, average ${averagePrecision.toFixed(3)}`)
  const drawn: Chart[] = []
  if (curves) {
    const series = [{ name: "network", points: curves.roc }, diagonal("chance")]
    drawn.push({ label: `ROC for ${name(1)}, area ${curves.area.toFixed(3)}`, ...axes, series })
    const precise = [{ name: "network", points: curves.precision }]
    const label = `Precision and recall for ${name(1)}${area(curves)}`
    drawn.push({ label, x: "recall", y: "precision", shares: true, series: precise })
  }
  if (classCurves.length > 0) {
    const which = classCurves.length < target.values.length ? "of the classes hardest to tell apart" : "of each class against the others"
    // a legend has room for short names only
    const named = ({ class: k }: { readonly class: number }): string => short(target.values[k]!)
    const roc = classCurves.map(c => ({ name: named(c), points: c.roc }))
    drawn.push({ label: `ROC ${which}`, ...axes, series: [...roc, diagonal("chance")] })
    const series = classCurves.map(c => ({ name: named(c), points: c.precision }))
    drawn.push({ label: `Precision and recall ${which}`, x: "recall", y: "precision", shares: true, series })
  }
  return drawn
}
const short = (text: string): string => (text.length > 9 ? `${text.slice(0, 8)}…` : text)

function calibrationCharts({ entries, calibration }: Results): Chart[] {
  if (!calibration?.length) return []
  const detail = entries[0]?.detail
  const error = detail && isClassDetail(detail) ? `, expected error ${percent(detail.calibrationError, 1)}` : ""
  const points = calibration.map(({ confidence, right }) => [confidence, right] as const)
  const all = calibration.reduce((sum, { rows }) => sum + rows, 0)
  const share = calibration.map(({ confidence, rows }) => [confidence, rows / all] as const)
  const series = [{ name: "network", points }, diagonal("calibrated"), { name: "share of rows", points: share }]
  return [{ label: `Calibration${error}`, x: "confidence", y: "share that is right", shares: true, series }]
}

/** More classes than this make a matrix that nobody reads. */
const MOST_CLASSES = 30

function classTables({ confusion }: ClassScore, values: readonly string[], detail: Detail | undefined): string {
  const each = detail && isClassDetail(detail) ? classDetail(detail, values) : eachOf(confusion, values)
  if (values.length > MOST_CLASSES) return each
  const cells = confusion.map((row, i) => [
    values[i]!,
    ...row.map((n, j): Cell => (n === 0 ? "·" : { html: grouped(n), as: i === j ? "right" : "wrong" })),
  ])
  return `<h3>Confusion matrix</h3>${table("Confusion matrix", ["true \\ predicted", ...values], cells)}${each}`
}

function classDetail(detail: ClassDetail, values: readonly string[]): string {
  const { perClass, macro, weighted, balancedAccuracy, logLoss, brier, calibrationError } = detail
  const isRanked = "rocArea" in macro
  const cells = (name: string, m: RankedMetrics): string[] => [
    ...[name, percent(m.precision, 1), percent(m.recall, 1), percent(m.f1, 1)],
    ...(isRanked ? [m.rocArea, m.averagePrecision].map(area => (typeof area === "number" ? area.toFixed(3) : "-")) : []),
    grouped(m.support),
  ]
  const head = ["class", "precision", "recall", "F1", ...(isRanked ? ["ROC area", "average precision"] : []), "rows"]
  const rows = [...perClass.map((m, k) => cells(values[k]!, m)), cells("macro mean", macro), cells("weighted mean", weighted)]
  const said =
    `Balanced accuracy ${percent(balancedAccuracy)}, log loss ${show(logLoss)}, Brier score ${show(brier)}, ` +
    `expected calibration error ${percent(calibrationError, 1)}.`
  return `<h3>Each class</h3>${table("Each class", head, rows)}<p>${said}</p>`
}

/** Of reports that were written before there was more. */
function eachOf(confusion: ClassScore["confusion"], values: readonly string[]): string {
  const sum = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0)
  const share = (a: number, b: number): string => (b === 0 ? "-" : percent(a / b, 1))
  const rows = values.map((value, k) => {
    const hits = confusion[k]![k]!
    const [truth, given] = [sum(confusion[k]!), sum(confusion.map(row => row[k]!))]
    return [value, share(hits, given), share(hits, truth), share(2 * hits, truth + given), grouped(truth)]
  })
  return `<h3>Each class</h3>${table("Each class", ["class", "precision", "recall", "F1", "rows"], rows)}`
}

function numberTables({ medianAbsoluteError, meanResidual, worst }: NumberDetail): string {
  const rows = worst.map(w => [String(w.row), show(w.truth), show(w.predicted), show(w.residual)])
  const said = `Median absolute error ${show(medianAbsoluteError)}, mean of true - predicted ${show(meanResidual)}.`
  return `<p>${said}</p><h3>Farthest off</h3>${table("Farthest off", ["row, from 0", "true", "predicted", "true - predicted"], rows)}`
}
