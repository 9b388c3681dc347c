// How much the rows of each class count.
import { count, quote } from "../data/names.ts"

/** Where the smallest class has less than this share of the rows of the largest, accuracy says little about it. */
const FEW = 0.1

/** Rows of each class. */
export function countsOf(answers: ArrayLike<number>, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0)
  for (let i = 0; i < answers.length; i++) counts[answers[i]!]!++
  return counts
}

/** Whether a class that occurs has less than a tenth of the rows of the largest. */
export function isImbalanced(counts: readonly number[]): boolean {
  const present = counts.filter(n => n > 0)
  return Math.min(...present) < FEW * Math.max(...present)
}

/**
 * Weights n / (classes * count): all classes then count the same in the sum of the losses, and the mean weight of a row is 1. Classes
 * without rows do not count.
 */
export function balanced(answers: ArrayLike<number>, classes: number): number[] {
  const counts = countsOf(answers, classes)
  const present = counts.filter(n => n > 0).length
  return counts.map(n => (n === 0 ? 0 : answers.length / (present * n)))
}

/** What to say where a class has few rows. */
export function imbalanceOf(answers: ArrayLike<number>, values: readonly string[]): string | undefined {
  const counts = countsOf(answers, values.length)
  if (!isImbalanced(counts)) return undefined
  const present = counts.filter(n => n > 0)
  const [least, most] = [Math.min(...present), Math.max(...present)]
  return (
    `Class ${quote(values[counts.indexOf(least)]!)} has ${count(least, "training row")}, class ${quote(values[counts.indexOf(most)]!)} ${most}: ` +
    "see the balanced accuracy, and try --class-weight balanced if rare classes matter as much."
  )
}
