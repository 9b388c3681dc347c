// No layer's update knows the weights of a layer above it, but through the signals that the rule documents: read from recorded programs.
import { describe, expect, test } from "vitest"
import { cast, concat, type Tensor, tensor } from "../index.ts"
import {
  alternatingMinimization,
  backprop,
  directFeedbackAlignment,
  feedbackAlignment,
  hsicBottleneck,
  type RuleStep,
  type SlopeRule,
  syntheticGradients,
  targetPropagation,
} from "../learning.ts"
import { crossEntropy } from "../losses.ts"
import { conv2d, dense, dropout, flatten, logistic, type Model, maxPool, type Params, sequential, tanh } from "../nn.ts"
import { bernoulli, fold, key, normal, uniform } from "../ops/random.ts"
import { forward } from "./blocks.ts"
import { news, outputsOfLayers, type Pass, violations, waysOf } from "./testing/locality.ts"

const plain = sequential(dense(6, 5), tanh(), dense(5, 4), tanh(), dense(4, 3))
const conv = sequential(conv2d(1, 2, 3), tanh(), maxPool(2), conv2d(2, 3, 2), tanh(), flatten(), dropout(0.3), dense(12, 3))
const y = tensor([0, 2, 1, 1], { dtype: "i32" })
const inputs = new Map<Model, Tensor>([
  [plain, normal(key(4), [4, 6])],
  [conv, normal(key(4), [4, 8, 8, 1])],
])
const ways = (rule: SlopeRule, model: Model, pass?: Pass) => waysOf(rule, model, crossEntropy, inputs.get(model)!, y, pass)

/** Each rule with what the updates of the three layers may be told from above. */
const local: readonly (readonly [name: string, rule: SlopeRule, first: string[], second: string[]])[] = [
  ["feedbackAlignment", feedbackAlignment(), ["own.kept.feedback.0.w", "own.kept.feedback.1.w"], ["own.kept.feedback.1.w"]],
  ["directFeedbackAlignment", directFeedbackAlignment(), ["own.kept.feedback.0"], ["own.kept.feedback.1"]],
  [
    "targetPropagation",
    targetPropagation(),
    [0, 1].flatMap(i => [`own.learned.inverses.${i}.b`, `own.learned.inverses.${i}.w`]),
    ["own.learned.inverses.1.b", "own.learned.inverses.1.w"],
  ],
  ["hsicBottleneck", hsicBottleneck(), [], []],
  ["alternatingMinimization", alternatingMinimization(), ["codes.0"], ["codes.0", "codes.1"]],
  [
    "syntheticGradients",
    syntheticGradients(),
    ["own.learned.predictors.0.b", "own.learned.predictors.0.w"],
    ["own.learned.predictors.1.b", "own.learned.predictors.1.w"],
  ],
]
describe.each(local)("%s", (_name, rule, first, second) => {
  test.each([
    ["dense", plain],
    ["convolutional", conv],
  ])("a %s network: the weights above are in no update, and what is in it is documented", (_kind, model) => {
    const found = ways(rule, model)
    const [bottom, middle, top] = [...found.updates.keys()].map(l => found.updates.get(l)!)
    expect(found.updates.size).toBe(3)
    expect(violations(found, rule)).toEqual([])
    expect([news(bottom!), news(middle!)]).toEqual([first, second])
    expect(news(top!)).toEqual(rule.signals.includes("codes") ? ["codes.1"] : [])
  })
})

test("a code of alternating minimization knows the weights of the next layer and codes alone", () => {
  const { codes } = ways(alternatingMinimization({ steps: 3 }), plain)
  const known = (l: number) => [...codes.get(l)!].filter(n => /^(params|codes)/.test(n)).sort()
  expect([...codes.keys()].sort()).toEqual([0, 1])
  expect(known(0)).toEqual(["codes.1", "params.layers.2.b", "params.layers.2.w"])
  expect(known(1)).toEqual(["params.layers.4.b", "params.layers.4.w"])
})

test("stochastic units: the forward pass is that of the draws", () => {
  const model = sequential(dense(6, 5), logistic(), dense(5, 4), logistic(), dense(4, 3))
  inputs.set(model, normal(key(4), [4, 6]))
  const rule = targetPropagation({ stochastic: true })
  const drawn: Pass = (model, params, x, key) => {
    const all: Tensor[] = []
    let h = x
    for (let l = 0; l < 3; l++) {
      const [s] = model.layers[2 * l]!.apply((params.layers as Params[])[2 * l]!, {}, h)
      const p = l < 2 ? model.layers[2 * l + 1]!.apply({}, {}, s)[0] : s
      all.push(s, p)
      h = cast(uniform(fold(fold(key, -1), l), p.shape).less(p), "f32")
    }
    return all
  }
  expect(violations(ways(rule, model, drawn), rule)).toEqual([])
  expect(violations(ways(rule, model, outputsOfLayers), rule)).toContain("layers.0 <- params.layers.2.w")
})

/** Backpropagation written by hand for `plain`, with the weights that come back passed through `hide`. */
const planted = (hide: (w: Tensor, key: Tensor) => Tensor): SlopeRule => ({
  config: { kind: "planted" },
  signals: ["feedback", "inverses", "predictors"],
  slopes(step: RuleStep) {
    const { turns, loss, slope } = forward("planted", step)
    const layers: Params[] = plain.layers.map(() => ({}))
    let delta = slope
    for (let l = 2; l >= 0; l--) {
      const { h, block, params } = turns[l]!
      layers[block.at] = { w: h.transpose().matmul(delta), b: delta.sum({ axis: 0 }) }
      if (l > 0) delta = delta.matmul(hide(params.w as Tensor, step.key)).mul(h.square().neg().add(1))
    }
    return { loss, state: step.state, params: { layers } }
  },
})
/** The rule is right: what it gives is the gradient. Otherwise it would prove nothing that the test below finds it. */
function isGradient(rule: SlopeRule): boolean {
  const x = inputs.get(plain)!
  const { params, state } = plain.init(key(1), [6])
  const step = { model: plain, loss: crossEntropy, params, own: { kept: {}, learned: {} }, state, x, y, key: key(3) }
  const [a, b] = [rule, backprop()].map(r => r.slopes(step).params.layers[0].w.values() as Float32Array)
  return a!.every((v, i) => Math.abs(v - b![i]!) < 1e-6)
}
const global: readonly (readonly [string, SlopeRule])[] = [
  ["backprop itself", backprop()],
  ["written by hand", planted(w => w.transpose())],
  ["behind a copy", planted(w => w.add(0).mul(1).transpose())],
  [
    "behind reshapes",
    planted(w =>
      w
        .reshape([-1])
        .reshape([...w.shape])
        .transpose(),
    ),
  ],
  ["behind masks that are all true", planted((w, key) => w.mul(cast(bernoulli(key, 1, w.shape), "f32")).transpose())],
  [
    "row by row",
    planted(w => {
      const rows = Array.from({ length: w.shape[1]! }, (_, i) => w.slice(":", [i, i + 1]).transpose())
      return concat(rows, { axis: 0 })
    }),
  ],
]
test.each(global)("backpropagation is found: %s", (_name, rule) => {
  expect(isGradient(rule)).toBe(true)
  expect(violations(ways(rule, plain), rule)).toEqual(
    expect.arrayContaining(["layers.0 <- params.layers.2.w", "layers.0 <- params.layers.4.w", "layers.2 <- params.layers.4.w"]),
  )
})
