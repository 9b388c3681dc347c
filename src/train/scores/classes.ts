// How good classes are told apart: by the class that is predicted alone.
import { classNumbers, type Numbers } from "./inputs.ts"

/** How good one class is recognised, or the mean over classes. */
export interface ClassMetrics {
  /** Of the rows predicted to be of the class, the share that is: TP / (TP + FP). */
  readonly precision: number
  /** Of the rows of the class, the share that is predicted to be: TP / (TP + FN). */
  readonly recall: number
  /** The harmonic mean of both: 2 TP / (2 TP + FP + FN). */
  readonly f1: number
  /** Rows that are of the class. */
  readonly support: number
}

/** What `classificationReport` returns. */
export interface ClassificationReport {
  readonly rows: number
  /** Share of the rows with the right class. */
  readonly accuracy: number
  /** Mean recall of the classes that there are rows of. */
  readonly balancedAccuracy: number
  readonly perClass: readonly ClassMetrics[]
  /** The plain mean over the classes that occur. */
  readonly macro: ClassMetrics
  /** The mean weighted with the rows of each class. */
  readonly weighted: ClassMetrics
  /** [classes][classes] rows by the true class, then by the predicted one. */
  readonly confusion: readonly (readonly number[])[]
}

/** What the functions of classes may be told. */
export interface ClassOptions {
  /** Number of classes. Default: the largest class number that occurs, and 1. */
  readonly classes?: number
}

/**
 * Counts rows by their true class and the predicted one: C[i][j] rows of class i were taken for class j.
 *
 * @param truth [rows] class numbers
 * @param predicted [rows] class numbers
 * @throws RangeError for what is no class number, or for another number of rows.
 *
 * @example
 * confusionMatrix([0, 0, 1, 1], [0, 1, 1, 1])  // [[1, 1], [0, 2]]
 */
export function confusionMatrix(truth: Numbers, predicted: Numbers, { classes: told }: ClassOptions = {}): number[][] {
  const limit = told === undefined ? {} : { classes: told }
  const t = classNumbers(truth, "confusionMatrix: truth", limit)
  const p = classNumbers(predicted, "confusionMatrix: predicted", { ...limit, rows: t.length })
  let most = 0
  for (const values of [t, p]) for (let i = 0; i < t.length; i++) most = Math.max(most, values[i]!)
  const classes = told ?? most + 1
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
  for (let i = 0; i < t.length; i++) counts[t[i]!]![p[i]!]!++
  return counts
}

/**
 * Precision, recall, F1 and support of each class, their means, accuracy and balanced accuracy.
 *
 * What would be divided by 0 is 0, as in scikit-learn: the precision of a class that is never predicted, the recall of one without rows. The
 * means leave out classes that neither occur nor are predicted, the balanced accuracy those without rows.
 *
 * Source: Sokolova, Lapalme 2009, "A systematic analysis of performance measures for classification tasks"; the numbers are those of
 * scikit-learn's `classification_report` and `balanced_accuracy_score`.
 *
 * @param truth [rows] class numbers
 * @param predicted [rows] class numbers
 * @throws RangeError for what is no class number, or for another number of rows.
 *
 * @example
 * const { perClass, macro } = classificationReport([0, 0, 1, 1], [0, 1, 1, 1])
 * perClass[1]?.precision  // 0.6667
 * macro.recall            // 0.75
 */
export function classificationReport(truth: Numbers, predicted: Numbers, options: ClassOptions = {}): ClassificationReport {
  return reportOf(confusionMatrix(truth, predicted, options))
}

/** The report on a matrix of rows by true and predicted class. */
export function reportOf(confusion: readonly (readonly number[])[]): ClassificationReport {
  const given = confusion.map((_, k) => confusion.reduce((sum, row) => sum + row[k]!, 0))
  const support = confusion.map(row => row.reduce((a, b) => a + b, 0))
  const perClass = confusion.map((row, k): ClassMetrics => {
    const hits = row[k]!
    return {
      precision: share(hits, given[k]!),
      recall: share(hits, support[k]!),
      f1: share(2 * hits, given[k]! + support[k]!),
      support: support[k]!,
    }
  })
  const rows = support.reduce((a, b) => a + b, 0)
  const occur = perClass.filter((_, k) => given[k]! + support[k]! > 0)
  const present = perClass.filter(c => c.support > 0)
  return {
    rows,
    accuracy: confusion.reduce((sum, row, k) => sum + row[k]!, 0) / rows,
    balancedAccuracy: present.reduce((sum, c) => sum + c.recall, 0) / present.length,
    perClass,
    macro: meanOf(occur, rows, () => 1 / occur.length),
    weighted: meanOf(occur, rows, c => c.support / rows),
    confusion,
  }
}

const share = (a: number, b: number): number => (b === 0 ? 0 : a / b)

function meanOf(classes: readonly ClassMetrics[], rows: number, weight: (c: ClassMetrics) => number): ClassMetrics {
  const mean = (of: "precision" | "recall" | "f1"): number => classes.reduce((sum, c) => sum + c[of] * weight(c), 0)
  return { precision: mean("precision"), recall: mean("recall"), f1: mean("f1"), support: rows }
}
