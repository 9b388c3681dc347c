// What a score says beyond its one number: class by class, by rank, by probability; for numbers how the errors lie.
import { fromArray } from "../core/concrete.ts"
import type { TargetColumn } from "../data/encoding.ts"
import { softmax, type Tensor } from "../index.ts"
import {
  brierScore,
  type ClassMetrics,
  calibration,
  classificationReport,
  logLoss,
  oneAgainstRest,
  regressionReport,
  type TrainedModel,
  type WorstRow,
} from "../train.ts"
import type { Labelled } from "./problem.ts"
import { largest, outputsOf } from "./scores.ts"

/** The areas are null where a class has no rows, or all of them. */
export type RankedMetrics = ClassMetrics & { readonly rocArea?: number | null; readonly averagePrecision?: number | null }

export interface ClassDetail {
  readonly balancedAccuracy: number
  /** In the order of the classes. */
  readonly perClass: readonly RankedMetrics[]
  readonly macro: RankedMetrics
  readonly weighted: RankedMetrics
  readonly logLoss: number
  readonly brier: number
  /** Expected calibration error, of ten bins. */
  readonly calibrationError: number
}

/** In the target's unit. */
export interface NumberDetail {
  readonly medianAbsoluteError: number
  /** Above 0: predictions are too low. */
  readonly meanResidual: number
  /** Rows counted from 0 in the data. */
  readonly worst: readonly WorstRow[]
}
export type Detail = ClassDetail | NumberDetail
export const isClassDetail = (detail: Detail): detail is ClassDetail => "perClass" in detail

/** Rows times classes that are put in order: more would take longer than people wait. */
const MOST_RANKED = 2_000_000
export const ranked = (rows: number, classes: number): boolean => rows * classes <= MOST_RANKED

/** [rows, classes] probabilities; undefined where some are none. */
export function probabilitiesOf(model: TrainedModel, { x }: Labelled): Tensor | undefined {
  const { values, width } = outputsOf(model, x, y => softmax(y))
  return values.every(Number.isFinite) ? fromArray(values, { shape: [x.rows, width], dtype: "f64" }) : undefined
}

/** [rows] predictions in the target's unit, with the truths; undefined where some are no numbers. */
export function predictionsOf(
  model: TrainedModel,
  { mean, std }: Extract<TargetColumn, { kind: "number" }>,
  { x, answers }: Labelled,
): { readonly truth: Float64Array; readonly predicted: Float64Array } | undefined {
  const predicted = outputsOf(model, x).values.map(v => v * std + mean)
  return predicted.every(Number.isFinite) ? { truth: Float64Array.from(answers, a => a * std + mean), predicted } : undefined
}

/** The detail of a model on rows; undefined where its answers are not finite. */
export function detailOf(model: TrainedModel, target: TargetColumn, test: Labelled): Detail | undefined {
  if (target.kind === "number") {
    const pairs = predictionsOf(model, target, test)
    return pairs && ofNumbers(pairs.truth, pairs.predicted, test.rows)
  }
  const p = probabilitiesOf(model, test)
  return p && ofClasses(p, test.answers)
}

function ofNumbers(truth: Float64Array, predicted: Float64Array, rows: Int32Array | undefined): NumberDetail {
  const { medianAbsoluteError, meanResidual, worst } = regressionReport(truth, predicted)
  const named = worst.map(({ row, truth, predicted, residual }) => ({
    ...{ row: rows?.[row] ?? row, truth: seven(truth), predicted: seven(predicted), residual: seven(residual) },
  }))
  return { medianAbsoluteError, meanResidual, worst: named }
}

/** The network computes with seven digits; more would be noise. */
const seven = (x: number): number => Number(x.toPrecision(7))

function ofClasses(p: Tensor, answers: ArrayLike<number>): ClassDetail {
  const [rows, classes] = p.shape as [number, number]
  const predicted = largest(p.values(), classes)
  const { perClass, macro, weighted, balancedAccuracy } = classificationReport(answers, predicted, { classes })
  const ranks = ranked(rows, classes) ? oneAgainstRest(answers, p) : undefined
  const areas = (rank: { readonly area: number; readonly averagePrecision: number } | undefined) =>
    rank && { rocArea: known(rank.area), averagePrecision: known(rank.averagePrecision) }
  const ofClass = (k: number) => {
    const r = ranks?.perClass[k]
    return r && areas({ area: r.roc.area, averagePrecision: r.precisionRecall.averagePrecision })
  }
  return {
    balancedAccuracy,
    perClass: perClass.map((c, k) => ({ ...c, ...ofClass(k) })),
    macro: { ...macro, ...areas(ranks?.macro) },
    weighted: { ...weighted, ...areas(ranks?.weighted) },
    logLoss: logLoss(answers, p),
    brier: brierScore(answers, p),
    calibrationError: calibration(answers, p).expectedError,
  }
}

const known = (x: number): number | null => (Number.isNaN(x) ? null : x)
