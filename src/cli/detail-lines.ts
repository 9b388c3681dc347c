// The detail of a score as lines for a terminal: class by class where it fits, else the means alone.
import type { TargetColumn } from "../data/encoding.ts"
import { type ClassDetail, type Detail, isClassDetail, type NumberDetail, type RankedMetrics } from "./detail.ts"
import { columns, grouped, paint, percent, show, wrap } from "./terminal.ts"

/** Classes that are listed; more would push the result off the screen. */
const MOST_CLASSES = 20
/** Rows that are named. */
const MOST_ROWS = 3

/** Lines of at most `width` characters. */
export const detailLines = (detail: Detail, target: TargetColumn, width: number): string[] =>
  isClassDetail(detail) ? classLines(detail, target.kind === "class" ? target.values : [], width) : numberLines(detail, width)

/** A share as scikit-learn prints it. */
const share = (x: number | null | undefined): string => (x === null || x === undefined || Number.isNaN(x) ? "-" : x.toFixed(3))

function classLines(detail: ClassDetail, values: readonly string[], width: number): string[] {
  const { perClass, macro, weighted, balancedAccuracy, logLoss, brier, calibrationError } = detail
  const row = (name: string, m: RankedMetrics): string[] => [
    ...[name, share(m.precision), share(m.recall), share(m.f1)],
    ...("rocArea" in macro ? [share(m.rocArea)] : []),
    grouped(m.support),
  ]
  const head = ["class", "precision", "recall", "F1", ...("rocArea" in macro ? ["ROC area"] : []), "rows"]
  const means = [row("macro mean", macro), row("weighted mean", weighted)]
  const short = (value: string): string => (value.length > 16 ? `${value.slice(0, 15)}…` : value)
  const all = perClass.length <= MOST_CLASSES ? perClass.map((m, k) => row(short(values[k] ?? String(k)), m)) : []
  const table = columns([head, ...all, ...means])
  const said =
    `balanced accuracy ${percent(balancedAccuracy)}, log loss ${show(logLoss)}, Brier score ${show(brier)}, ` +
    `calibration error ${percent(calibrationError, 1)}`
  const fits = table.every(line => line.length <= width)
  const [first, ...rest] = fits ? table : []
  if (first === undefined) return wrap(`${said}, macro F1 ${share(macro.f1)}`, width)
  const listed = rest.map((line, i) => (i < all.length ? line : paint("dim", line)))
  return [paint("dim", first), ...listed, ...wrap(said, width)]
}

function numberLines({ medianAbsoluteError, meanResidual, worst }: NumberDetail, width: number): string[] {
  const rows = worst.slice(0, MOST_ROWS).map(w => `row ${w.row} (${show(w.truth)}, predicted ${show(w.predicted)})`)
  return wrap(
    `Median error ${show(medianAbsoluteError)}, mean of truth - prediction ${show(meanResidual)}; farthest off: ${rows.join(", ")}.`,
    width,
  )
}
