// W3 and W4: dense networks with rectified units for ten classes.
import { matmul, relu, type Tensor, tensor } from "../../index.ts"
import { crossEntropy } from "../../losses.ts"
import { adam, type Optimizer, sgd } from "../../optim.ts"
import { denseFlops, denseParameters } from "./flops.ts"
import { integers, uniform, weights } from "./numbers.ts"
import type { Budget, Measured } from "./result.ts"
import { measure, stepByStep, stepsPerSecond, type Task } from "./training.ts"

export type Dense = { readonly w: Tensor; readonly b: Tensor }
export const CLASSES = 10
const PERIODS = { xs: 64, ys: 61 }

/** First weights of dense layers. */
export const denseLayers = (widths: readonly number[]): readonly Dense[] =>
  widths.slice(1).map((out, i) => {
    const inputs = widths[i]!
    return { w: tensor(weights(inputs * out, inputs, 10 + i), { shape: [inputs, out] }), b: tensor(weights(out, inputs, 50 + i)) }
  })

/** The logits: rectified units in all layers but the last. */
export const logits = (layers: readonly Dense[], x: Tensor): Tensor =>
  layers.reduce((h, { w, b }, i) => matmul(i > 0 ? relu(h) : h, w).add(b), x)

/** The task of a network of these widths; batches hold numbers and classes without any connection. */
export const mlp = (widths: readonly number[], batch: number, optimizer: Optimizer): Task<readonly Dense[]> => ({
  params: denseLayers(widths),
  loss: (layers, x, y) => crossEntropy(logits(layers, x), y),
  optimizer,
  xs: Array.from({ length: PERIODS.xs }, (_, i) => tensor(uniform(batch * widths[0]!, 100 + i, -1, 1), { shape: [batch, widths[0]!] })),
  ys: Array.from({ length: PERIODS.ys }, (_, i) => tensor(integers(batch, 200 + i, CLASSES))),
  flops: denseFlops(denseParameters(widths), batch),
})

export const OPTIMIZERS = { "sgd-momentum": sgd(0.01, { momentum: 0.9 }), adam: adam(1e-3) }
export const SMALL = { widths: [784, 128, 64, CLASSES], batch: 64 }
export const LARGE = { widths: [784, 1024, 1024, CLASSES], batch: 256 }

function train({ widths, batch }: typeof SMALL, variant: keyof typeof OPTIMIZERS, budget: Budget): Measured {
  const task = mlp(widths, batch, OPTIMIZERS[variant])
  return stepsPerSecond(
    variant,
    measure(() => stepByStep(task), task.flops, budget),
  )
}

/** W3 */
export function* small(budget: Budget): Generator<Measured> {
  yield train(SMALL, "sgd-momentum", budget)
  yield train(SMALL, "adam", budget)
}

/** W4 */
export function* large(budget: Budget): Generator<Measured> {
  yield train(LARGE, "adam", budget)
}
