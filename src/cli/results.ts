// What came out of a run, in the numbers that its report shows: results.json.
import type { TargetColumn } from "../data/encoding.ts"
import { softmax } from "../index.ts"
import type { TrainedModel } from "../train.ts"
import type { Labelled, Problem } from "./problem.ts"
import type { Entry, Result } from "./report.ts"
import { type FoldResult, outputsOf } from "./scores.ts"

type Point = readonly [x: number, y: number]
/** How sure answers were, and how often they were right. */
export interface Bin {
  readonly confidence: number
  readonly right: number
  readonly rows: number
}
/** Of two classes, by the probability of the second one. */
export interface Curves {
  /** False positive rate and true positive rate. */
  readonly roc: readonly Point[]
  /** Recall and precision. */
  readonly precision: readonly Point[]
  readonly area: number
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
  readonly curves?: Curves
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
    ...(test && (target.kind === "class" ? ofClasses(model, test) : { pairs: pairsOf(model, target, test) })),
  }
}

/** Points of a scatter plot or a curve; more would only be drawn over each other. */
const POINTS = 500
function thinned<T>(all: readonly T[], most = POINTS): T[] {
  const step = Math.max(1, all.length / most)
  return Array.from({ length: Math.min(most, all.length) }, (_, i) => all[Math.min(all.length - 1, Math.floor(i * step))]!)
}

function pairsOf(model: TrainedModel, { mean, std }: { readonly mean: number; readonly std: number }, { x, answers }: Labelled): Point[] {
  const { values } = outputsOf(model, x)
  return thinned(Array.from(answers, (truth, i): Point => [truth * std + mean, values[i]! * std + mean]))
}

function ofClasses(model: TrainedModel, { x, answers }: Labelled): Pick<Results, "curves" | "calibration"> {
  const { values, width } = outputsOf(model, x, y => softmax(y))
  return {
    calibration: calibrationOf(values, width, answers),
    ...(width === 2 && {
      curves: curvesOf(
        Array.from(answers, (_, i) => values[2 * i + 1]!),
        answers,
      ),
    }),
  }
}

const BINS = 10
function calibrationOf(p: ArrayLike<number>, classes: number, answers: ArrayLike<number>): Bin[] {
  const bins = Array.from({ length: BINS }, () => ({ confidence: 0, right: 0, rows: 0 }))
  for (let row = 0; row < answers.length; row++) {
    let best = 0
    for (let k = 1; k < classes; k++) if (p[row * classes + k]! > p[row * classes + best]!) best = k
    const confidence = p[row * classes + best]!
    const bin = bins[Math.min(BINS - 1, Math.floor(confidence * BINS))]!
    bin.confidence += confidence
    bin.right += Number(best === answers[row])
    bin.rows++
  }
  return bins
    .filter(({ rows }) => rows > 0)
    .map(({ confidence, right, rows }) => ({ confidence: confidence / rows, right: right / rows, rows }))
}

/** Rows of equal probability are decided together. Area under the ROC curve by trapezoids. */
export function curvesOf(p: readonly number[], answers: ArrayLike<number>): Curves {
  const order = p.map((_, i) => i).sort((a, b) => p[b]! - p[a]!)
  const positives = Array.from(answers).filter(c => c === 1).length
  const negatives = p.length - positives
  const roc: Point[] = [[0, 0]]
  const precision: Point[] = []
  let [hits, misses, area] = [0, 0, 0]
  for (const [k, i] of order.entries()) {
    if (answers[i] === 1) hits++
    else misses++
    if (k + 1 < order.length && p[order[k + 1]!] === p[i]) continue
    const [x, y] = roc.at(-1)!
    const point: Point = [negatives ? misses / negatives : 0, positives ? hits / positives : 0]
    area += ((point[0] - x) * (point[1] + y)) / 2
    roc.push(point)
    precision.push([point[1], hits / (hits + misses)])
  }
  return { roc: [...thinned(roc), [1, 1]], precision: thinned(precision), area }
}
