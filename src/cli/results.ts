// What came out of a run, in the numbers that its report shows: results.json.
import type { TargetColumn } from "../data/encoding.ts"
import {
  calibration,
  histogram,
  oneAgainstRest,
  type PrecisionRecallCurve,
  precisionRecallCurve,
  type RocCurve,
  rocCurve,
  type TrainedModel,
} from "../train.ts"
import { predictionsOf, probabilitiesOf, ranked } from "./detail.ts"
import type { Labelled, Problem } from "./problem.ts"
import type { Entry, Result } from "./report.ts"
import type { FoldResult } from "./scores.ts"

type Point = readonly [x: number, y: number]
/** How sure answers were, and how often they were right. */
export interface Bin {
  readonly confidence: number
  readonly right: number
  readonly rows: number
}
/** Of a class against all others, by its probability. */
export interface Curves {
  /** False positive rate and true positive rate. */
  readonly roc: readonly Point[]
  /** Recall and precision. */
  readonly precision: readonly Point[]
  readonly area: number
  readonly averagePrecision?: number
}
/** How the errors of predicted numbers lie, in the target's unit. */
export interface Residuals {
  /** Prediction and truth - prediction of at most 500 rows. */
  readonly points: readonly Point[]
  /** Of all rows. */
  readonly edges: readonly number[]
  readonly counts: readonly number[]
}
export interface Results {
  readonly target: TargetColumn
  readonly data: { readonly name: string; readonly inputs: number; readonly training: number; readonly validation: number }
  readonly notes: readonly string[]
  readonly stopped: boolean
  /** The network first; empty without test rows. */
  readonly entries: readonly Entry[]
  /** True and predicted numbers of at most 500 rows. */
  readonly pairs?: readonly Point[]
  readonly residuals?: Residuals
  /** Of two classes, by the second one. */
  readonly curves?: Curves
  /** Of more classes those with the smallest ROC areas, the smallest first. */
  readonly classCurves?: readonly (Curves & { readonly class: number })[]
  readonly calibration?: readonly Bin[]
  readonly crossValidation?: FoldResult
}

export function resultsOf(name: string, problem: Problem, result: Result, model: TrainedModel, test: Labelled | undefined): Results {
  const { target, features, train, validation, notes } = problem
  return {
    target,
    data: { name, inputs: features, training: train.x.rows, validation: validation?.x.rows ?? 0 },
    notes,
    stopped: result.resume !== undefined,
    ...(result.crossValidation && { crossValidation: result.crossValidation }),
    entries: result.network ? [result.network, ...(result.baselines ?? [])] : [],
    ...(test && (target.kind === "class" ? ofClasses(model, test) : ofNumbers(model, target, test))),
  }
}

/** Points of a scatter plot or a curve; more would only be drawn over each other. */
const POINTS = 500
function thinned<T>(all: readonly T[], most = POINTS): T[] {
  const step = Math.max(1, all.length / most)
  return Array.from({ length: Math.min(most, all.length) }, (_, i) => all[Math.min(all.length - 1, Math.floor(i * step))]!)
}

function ofNumbers(
  model: TrainedModel,
  target: Extract<TargetColumn, { kind: "number" }>,
  test: Labelled,
): Pick<Results, "pairs" | "residuals"> {
  const found = predictionsOf(model, target, test)
  if (!found) return {}
  const { truth, predicted } = found
  const residuals = truth.map((y, i) => y - predicted[i]!)
  return {
    pairs: thinned(Array.from(truth, (y, i): Point => [y, predicted[i]!])),
    residuals: { points: thinned(Array.from(predicted, (f, i): Point => [f, residuals[i]!])), ...histogram(residuals) },
  }
}

/** Classes whose curves are drawn, where there are more than two. */
const DRAWN = 3

function ofClasses(model: TrainedModel, test: Labelled): Pick<Results, "curves" | "classCurves" | "calibration"> {
  const p = probabilitiesOf(model, test)
  if (!p) return {}
  const [rows, classes] = p.shape as [number, number]
  const bins = calibration(test.answers, p).bins.map(({ confidence, accuracy, rows }): Bin => ({ confidence, right: accuracy, rows }))
  if (!ranked(rows, classes)) return { calibration: bins }
  const { perClass } = oneAgainstRest(test.answers, p)
  const all = perClass.map(({ roc, precisionRecall }, k) => ({ class: k, ...curvesFrom(roc, precisionRecall) }))
  const known = all.filter(({ area }) => !Number.isNaN(area))
  if (classes > 2) return { calibration: bins, classCurves: known.sort((a, b) => a.area - b.area).slice(0, DRAWN) }
  const { class: _, ...curves } = all[1]!
  return { calibration: bins, ...(known.length > 0 && { curves }) }
}

/** Rows of equal probability are decided together. Area under the ROC curve by trapezoids. */
export const curvesOf = (p: readonly number[], answers: ArrayLike<number>): Curves =>
  curvesFrom(rocCurve(answers, p), precisionRecallCurve(answers, p))

function curvesFrom(
  { falsePositiveRate, truePositiveRate, area }: RocCurve,
  { recall, precision, averagePrecision }: PrecisionRecallCurve,
): Curves {
  const points = (x: Float64Array, y: Float64Array): Point[] => thinned(Array.from(x, (v, i): Point => [v, y[i]!]))
  return { roc: [...points(falsePositiveRate, truePositiveRate), [1, 1]], precision: points(recall, precision), area, averagePrecision }
}
