import { describe, expect, it } from "vitest"
import { grad, random, type Tensor, tensor } from "../js.ts"
import { binaryCrossEntropy, crossEntropy, squaredError } from "../losses/index.ts"
import { dense, dropout, flatten, gelu, type Layer, logistic, relu, sequential, softmax, tanh } from "../nn/index.ts"
import type { Loss } from "../train/trainable.ts"
import { explainNetwork } from "./explain-network.ts"
import { networkOf } from "./model.ts"

const dtype = "f64"

describe("networkOf", () => {
  it.each<[string, Loss, Tensor]>([
    ["squaredError", squaredError, tensor([[0.5, 1, 0]], { dtype })],
    ["binaryCrossEntropy", binaryCrossEntropy, tensor([[0.5, 1, 0]], { dtype })],
    ["crossEntropy", crossEntropy, tensor([[0, 1, 0]], { dtype })],
  ])("gives what the model computes, with %s", (_, loss, target) => {
    const model = sequential(flatten(), dense(4, 5, { dtype }), tanh(), dropout(0.5), sequential(dense(5, 3, { dtype, bias: false })))
    const { params, state } = model.init(random.key(3), [2, 2])
    const x = [0.3, -1, 0.5, 2]
    const image = tensor(x, { dtype, shape: [1, 2, 2] })
    const g = grad((p: typeof params) => loss(model.apply(p, state, image)[0], target))(params)
    const paths = ["layers.1.w[3,1]", "layers.1.b[2]", "layers.4.layers.0.w[4,2]"]
    const { weights } = explainNetwork(networkOf(model, params, loss), { x, target: [...target.values()] }, { weights: paths })
    const wanted = [g.layers[1].w.toArray()[3][1], g.layers[1].b.toArray()[2], g.layers[4].layers[0].w.toArray()[4][2]]
    weights.forEach((w, i) => expect(Math.abs(w.gradient - wanted[i])).toBeLessThan(1e-13))
    expect(weights.map(w => w.symbol)).toEqual(["w1[3,1]", "b1[2]", "w4_0[4,2]"])
  })

  it.each(["none", "tanh"] as const)("knows gelu with approximate: %s", approximate => {
    const model = sequential(dense(2, 3, { dtype }), gelu({ approximate }), dense(3, 1, { dtype }))
    const { params } = model.init(random.key(3), [2])
    expect(explainNetwork(networkOf(model, params, squaredError), { x: [0.7, -2], target: 1 }).agrees).toBe(true)
  })

  const init = (...layers: readonly Layer[]) => {
    const model = sequential(...layers)
    return [model, model.init(random.key(0), [2]).params] as const
  }
  it.each<[string, readonly [{ config?: unknown }, unknown], Loss, string]>([
    ["two activations", init(dense(2, 2), relu(), tanh()), squaredError, "layers.2 is tanh; an activation can be explained where"],
    ["an activation first", init(relu(), dense(2, 1)), squaredError, "layers.0 is relu"],
    ["softmax twice", init(dense(2, 2), softmax()), crossEntropy, "crossEntropy takes logits and has its own softmax"],
    ["logistic twice", init(dense(2, 1), logistic()), binaryCrossEntropy, "has its own logistic"],
    ["no dense layer", init(relu()), squaredError, "layers.0 is relu"],
    ["no layer", init(), squaredError, "the model has no dense layer"],
    ["another layer", [{ config: { kind: "conv2d" } }, {}], squaredError, 'the model is a layer "conv2d", which cannot be explained'],
    ["no config", [{}, {}], squaredError, "the model is not described by a config"],
    ["another loss", init(dense(2, 1)), y => y, "the loss should be one of halfSquaredError, squaredError"],
  ])("says why not: %s", (_, [model, params], loss, message) => {
    expect(() => networkOf(model, params, loss)).toThrow(message)
  })
})
