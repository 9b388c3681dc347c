// How well scores put the rows of a class before all others, whatever the threshold.
import { type ByClass, classNumbers, columns, type Numbers, numbers } from "./inputs.ts"

/** The curve of `rocCurve`, from the strictest threshold on. */
export interface RocCurve {
  /** Rows count as positive from this score on; Infinity at the first point. */
  readonly thresholds: Float64Array
  /** FP / (FP + TN) */
  readonly falsePositiveRate: Float64Array
  /** TP / (TP + FN) */
  readonly truePositiveRate: Float64Array
  /** The area under the curve; NaN where one of the two kinds has no rows. */
  readonly area: number
}

/** The curve of `precisionRecallCurve`, from the strictest threshold on. */
export interface PrecisionRecallCurve {
  /** Rows count as positive from this score on. */
  readonly thresholds: Float64Array
  /** TP / (TP + FP) */
  readonly precision: Float64Array
  /** TP / (TP + FN) */
  readonly recall: Float64Array
  /** sum_k (R_k - R_(k-1)) P_k; NaN where there are no positive rows. */
  readonly averagePrecision: number
}

interface Counts {
  readonly thresholds: Float64Array
  /** [thresholds] positive rows from the threshold on, and negative ones. */
  readonly hits: Float64Array
  readonly misses: Float64Array
}

/** Rows counted by falling score; rows of equal score are decided together. `isPositive` of all rows, [rows] scores. */
function countsOf(isPositive: (row: number) => boolean, scores: ArrayLike<number>): Counts {
  const order = Uint32Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => scores[b]! - scores[a]!)
  const found: { threshold: number; hits: number; misses: number }[] = []
  let [hits, misses] = [0, 0]
  for (let i = 0; i < order.length; i++) {
    const row = order[i]!
    if (isPositive(row)) hits++
    else misses++
    if (i + 1 === order.length || scores[order[i + 1]!] !== scores[row]) found.push({ threshold: scores[row]!, hits, misses })
  }
  return {
    thresholds: Float64Array.from(found, f => f.threshold),
    hits: Float64Array.from(found, f => f.hits),
    misses: Float64Array.from(found, f => f.misses),
  }
}

function rocOf({ thresholds, hits, misses }: Counts): RocCurve {
  const [positives, negatives] = [hits.at(-1)!, misses.at(-1)!]
  const rate = (counts: Float64Array, all: number): Float64Array =>
    Float64Array.from([0, ...counts], n => (all === 0 ? Number.NaN : n / all))
  let area = 0
  for (let i = 0; i < hits.length; i++) area += ((misses[i]! - (misses[i - 1] ?? 0)) * (hits[i]! + (hits[i - 1] ?? 0))) / 2
  return {
    thresholds: Float64Array.from([Infinity, ...thresholds]),
    falsePositiveRate: rate(misses, negatives),
    truePositiveRate: rate(hits, positives),
    area: positives * negatives === 0 ? Number.NaN : area / (positives * negatives),
  }
}

function precisionOf({ thresholds, hits, misses }: Counts): PrecisionRecallCurve {
  const positives = hits.at(-1)!
  const precision = hits.map((n, i) => n / (n + misses[i]!))
  const recall = hits.map(n => (positives === 0 ? Number.NaN : n / positives))
  const averagePrecision = precision.reduce((sum, p, i) => sum + p * (recall[i]! - (recall[i - 1] ?? 0)), 0)
  return { thresholds, precision, recall, averagePrecision }
}

function checked(name: string, truth: Numbers, scores: Numbers): Counts {
  const t = classNumbers(truth, `${name}: truth`, { classes: 2 })
  return countsOf(row => t[row] === 1, numbers(scores, `${name}: scores`, t.length))
}

/**
 * The receiver operating characteristic of a score for a class: true positives against false positives, at every threshold.
 *
 * The area under the curve, by trapezoids, is the probability that a positive row has a higher score than a negative one, where equal scores count
 * half. All points are kept, as with `drop_intermediate=False` in scikit-learn.
 *
 * Source: Fawcett 2006, "An introduction to ROC analysis", algorithms 1 and 2.
 *
 * @param truth [rows] 1 for rows of the class, 0 for the others
 * @param scores [rows] probabilities, logits, or any other numbers
 * @throws RangeError for other truths, or another number of scores.
 *
 * @example
 * rocCurve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).area  // 0.75
 */
export const rocCurve = (truth: Numbers, scores: Numbers): RocCurve => rocOf(checked("rocCurve", truth, scores))

/**
 * Precision against recall at every threshold, and the average precision: sum_k (R_k - R_(k-1)) P_k, without interpolation.
 *
 * Where positive rows are rare it says more than the ROC curve: chance gives their share, not ½.
 *
 * Source: Davis, Goadrich 2006, "The relationship between precision-recall and ROC curves"; scikit-learn's `average_precision_score`.
 *
 * @param truth [rows] 1 for rows of the class, 0 for the others
 * @param scores [rows] probabilities, logits, or any other numbers
 * @throws RangeError for other truths, or another number of scores.
 *
 * @example
 * precisionRecallCurve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).averagePrecision  // 0.8333
 */
export const precisionRecallCurve = (truth: Numbers, scores: Numbers): PrecisionRecallCurve =>
  precisionOf(checked("precisionRecallCurve", truth, scores))

/** Of one class against all others. */
export interface Ranking {
  readonly roc: RocCurve
  readonly precisionRecall: PrecisionRecallCurve
  /** Rows of the class. */
  readonly support: number
}

/** What `oneAgainstRest` returns. */
export interface Rankings {
  readonly perClass: readonly Ranking[]
  /** Mean areas over the classes that have rows and are not all there is; NaN without any. */
  readonly macro: { readonly area: number; readonly averagePrecision: number }
  /** The same, weighted with the rows of each class. */
  readonly weighted: { readonly area: number; readonly averagePrecision: number }
}

/**
 * Both curves of each class against all others, by the class's own score.
 *
 * The means are those of scikit-learn's `roc_auc_score` with `multi_class="ovr"` and of its `average_precision_score`. Two classes have the same ROC
 * area, but not the same average precision.
 *
 * @param truth [rows] class numbers
 * @param scores [rows, classes], or of two classes [rows] for class 1
 * @throws RangeError for what is no class number, or for scores of another number of rows.
 *
 * @example
 * const { perClass, macro } = oneAgainstRest([0, 1, 2, 1], [[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.1, 0.6, 0.3], [0.3, 0.4, 0.3]])
 * perClass[1]?.roc.area  // 0.5
 * macro.area             // 0.7222
 */
export function oneAgainstRest(truth: Numbers, scores: ByClass): Rankings {
  const t = classNumbers(truth, "oneAgainstRest: truth")
  const { values, classes } = columns(scores, "oneAgainstRest: scores", t.length, second => -second)
  classNumbers(t, "oneAgainstRest: truth", { classes })
  const perClass = Array.from({ length: classes }, (_, k): Ranking => {
    const counts = countsOf(
      row => t[row] === k,
      Float64Array.from({ length: t.length }, (_, row) => values[row * classes + k]!),
    )
    return { roc: rocOf(counts), precisionRecall: precisionOf(counts), support: counts.hits.at(-1)! }
  })
  const known = perClass.filter(({ support }) => support > 0 && support < t.length)
  const mean = (weight: (r: Ranking) => number) => {
    const all = known.reduce((sum, r) => sum + weight(r), 0)
    const of = (value: (r: Ranking) => number): number => known.reduce((sum, r) => sum + value(r) * weight(r), 0) / all
    return { area: of(r => r.roc.area), averagePrecision: of(r => r.precisionRecall.averagePrecision) }
  }
  return { perClass, macro: mean(() => 1), weighted: mean(r => r.support) }
}
