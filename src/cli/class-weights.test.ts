import { describe, expect, test } from "vitest"
import { tensor } from "../index.ts"
import { crossEntropy } from "../losses.ts"
import { balanced, imbalanceOf, isImbalanced } from "./class-weights.ts"
import { lossFor } from "./network.ts"
import { together } from "./scores.ts"

const target = { name: "y", kind: "class", values: ["a", "b", "c"] } as const

test("balanced weights: all classes the same sum, a mean of 1, none for a class without rows", () => {
  const answers = [0, 0, 0, 0, 0, 0, 2, 2]
  const weights = balanced(answers, 3)
  expect(weights).toEqual([8 / 12, 0, 2])
  expect(answers.reduce((sum, k) => sum + weights[k]!, 0)).toBe(8)
})

test("the loss is the mean of losses times weights, also in a batch of one class", () => {
  const logits = tensor([[1, 0, -1], [0, 2, 0]]) // biome-ignore format: rows
  const weighted = lossFor(target, [0.5, 3, 1])
  for (const classes of [
    [0, 1],
    [1, 1],
    [0, 0],
  ]) {
    const y = tensor(classes, { dtype: "i32" })
    const each = crossEntropy(logits, y, { reduction: "none" }).toArray() as number[]
    const wanted = each.reduce((sum, loss, row) => sum + loss * [0.5, 3, 1][classes[row]!]!, 0) / 2
    expect(weighted(logits, y).item()).toBeCloseTo(wanted, 6)
  }
})

describe("classes of few rows", () => {
  test.each([
    [[100, 10], false],
    [[100, 9], true],
    [[100, 9, 50], true],
    [[100, 0, 50], false],
  ])("%j: %s", (counts, few) => expect(isImbalanced(counts)).toBe(few))

  test("are told", () => {
    const answers = [...Array(30).fill(0), 1, ...Array(20).fill(2)]
    expect(imbalanceOf(answers, target.values)).toContain('Class "b" has 1 training row, class "a" 30: ')
    expect(imbalanceOf(answers.slice(0, 30), target.values)).toBeUndefined()
  })
})

test("folds together: mean and standard error of the mean", () => {
  const { mean, standardError } = together([0.9, 0.8, 0.7, 0.6], target)
  expect(mean).toBeCloseTo(0.75, 12)
  expect(standardError).toBeCloseTo(Math.sqrt(0.05 / 3 / 4), 12)
})
