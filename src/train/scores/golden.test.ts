// Scores against scikit-learn's, and what they say where scikit-learn has no answer.
import { readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import { tensor } from "../../js.ts"
import { brierScore, calibration, logLoss } from "./calibration.ts"
import { classificationReport, confusionMatrix } from "./classes.ts"
import { oneAgainstRest, precisionRecallCurve, rocCurve } from "./curves.ts"
import { histogram, regressionReport } from "./regression.ts"

const golden = JSON.parse(readFileSync("tests/golden/scores.json", "utf8"))

/** All numbers within 1e-12 of the wanted ones, which have 13 digits; fields that are not wanted are left out. */
function near(got: any, wanted: any, path = ""): void {
  if (typeof wanted === "number")
    expect(Math.abs(got - wanted), `${path}: ${got}, wanted ${wanted}`).toBeLessThan(1e-12 * Math.max(1, Math.abs(wanted)))
  else for (const key of Object.keys(wanted)) near(got[key], wanted[key], `${path}.${key}`)
  if (Array.isArray(wanted)) expect(got.length, path).toBe(wanted.length)
}

describe.each(Object.entries<any>(golden.classes))("%s", (_, g) => {
  const { truth, predicted, p } = g
  const classes = p[0].length
  test("class by class", () => {
    const { perClass, macro, weighted, accuracy, balancedAccuracy, confusion } = classificationReport(truth, predicted, { classes })
    expect(confusion).toEqual(g.confusion)
    near(
      { perClass, macro, weighted, accuracy, balancedAccuracy },
      (({ perClass, macro, weighted, accuracy, balancedAccuracy }) => ({ perClass, macro, weighted, accuracy, balancedAccuracy }))(g),
    )
  })
  test("by rank", () => {
    const { perClass, macro, weighted } = oneAgainstRest(truth, p)
    near(
      perClass.map(c => c.roc.area),
      g.auc,
    )
    near(
      perClass.map(c => c.precisionRecall.averagePrecision),
      g.averagePrecision,
    )
    if (g.macroAuc !== undefined) {
      near(macro, { area: g.macroAuc, averagePrecision: g.macroAveragePrecision })
      near(weighted, { area: g.weightedAuc, averagePrecision: g.weightedAveragePrecision })
    }
    if (!g.roc) return
    const scores = p.map((row: number[]) => row[1])
    const { thresholds, ...roc } = rocCurve(truth, scores)
    near({ ...roc, thresholds: thresholds.slice(1) }, g.roc)
    near(precisionRecallCurve(truth, scores), g.precisionRecall)
    near(
      oneAgainstRest(truth, scores).perClass.map(c => c.roc.area),
      g.auc,
    )
  })
  test("by probability", () => {
    near(calibration(truth, p), { expectedError: g.expectedError, largestError: g.largestError })
    near({ brier: brierScore(truth, p), log: logLoss(truth, p) }, { brier: g.brier, log: g.logLoss })
    // a tensor and its rows are the same
    const asTensor = tensor(p, { dtype: "f64" })
    expect([brierScore(truth, asTensor), logLoss(truth, asTensor)]).toEqual([brierScore(truth, p), logLoss(truth, p)])
  })
})

test.each(Object.entries<any>(golden.regression))("numbers, %s", (_, g) => {
  const { worst, residuals, ...report } = regressionReport(g.truth, g.predicted)
  const { r2, rmse, mae, medianAbsoluteError } = g
  near(report, { r2, rmse, mae, medianAbsoluteError })
  expect(worst.map(w => w.row)).toEqual(g.worst)
  expect(histogram(residuals).counts).toEqual(g.counts)
  near(histogram(residuals).edges, g.edges)
})

test("a class alone has no curve's area, and a row of no doubt no infinite loss", () => {
  const { perClass, macro } = oneAgainstRest([1, 1], [0.2, 0.3])
  expect([perClass[1]!.roc.area, macro.area]).toEqual([Number.NaN, Number.NaN])
  expect(logLoss([0], [1])).toBeCloseTo(52 * Math.LN2, 12)
  expect(regressionReport([2, 2], [1, 3]).r2).toBeNaN()
  expect(histogram([2, 2], { bins: 2 })).toEqual({ edges: [1.5, 2, 2.5], counts: [0, 2] })
})

test.each<[string, () => unknown, RegExp]>([
  ["a class that is none", () => confusionMatrix([0, 1.5], [0, 1]), /truth\[1\] must be a class number, from 0; got 1.5/],
  ["more classes than there are", () => confusionMatrix([0, 1], [0, 2], { classes: 2 }), /predicted\[1\] .* 0 to 1; got 2/],
  ["another number of rows", () => rocCurve([0, 1], [1]), /one number for each of 2 rows; got 1/],
  ["NaN", () => rocCurve([0, 1], [1, Number.NaN]), /scores\[1\] must be a finite number; got NaN/],
  ["a list of uneven rows", () => oneAgainstRest([0, 1], [[1, 0], [1]]), /scores\[1\] must have 2 numbers/],
  [
    "logits",
    () =>
      logLoss(
        [0, 1],
        [
          [2, -1],
          [0, 1],
        ],
      ),
    /row 0 has 2; wanted probabilities from 0 to 1/,
  ],
  [
    "weights",
    () =>
      brierScore(
        [0, 1],
        [
          [0.2, 0.2],
          [0, 1],
        ],
      ),
    /row 0 sums up to 0.4/,
  ],
  [
    "a truth without probability",
    () =>
      brierScore(
        [0, 2],
        [
          [0.5, 0.5],
          [0, 1],
        ],
      ),
    /truth\[1\] must be a class number, from 0 to 1; got 2/,
  ],
  ["no bins", () => calibration([0], [0.5], { bins: 0 }), /bins must be a whole number from 1; got 0/],
  ["nothing", () => regressionReport([], []), /at least 1 rows; got 0/],
])("%s is refused", (_, f, message) => expect(f).toThrow(message))
