import { composite } from "../control/call.ts"
import type { Shape } from "../core/aval.ts"
import type { Tensor } from "../core/tensor.ts"
import { zeros } from "../ops/create.ts"
import { type Layer, nameOf, wantTensor } from "./layer.ts"

export interface LambdaOptions {
  /** What graphs and profiles call it. Default: "lambda". */
  readonly name?: string
  /** Shape of one output for that of one input, without batch axis. Default: found by giving `f` zeros, f32. */
  readonly outShape?: (inShape: Shape) => Shape
}

/**
 * A function as a layer without parameters: `f` takes and returns tensors [batch, ...].
 *
 * A saved model does not hold functions, so that saving one with a lambda throws. Write the function as a layer, or save the parameters
 * alone (`writeSafetensors` of adjoint/io) and make the model in code. Throws TypeError unless `f` is a function.
 *
 * @example
 * const model = sequential(lambda(x => x.mul(2).sub(1)), dense(4, 1))
 * model.outShape([4])  // [1]
 */
export function lambda(f: (x: Tensor) => Tensor, { name = "lambda", outShape }: LambdaOptions = {}): Layer<"any", "any"> {
  if (typeof f !== "function") throw new TypeError(`lambda: wants a function of a tensor; got ${f === null ? "null" : typeof f}`)
  const whole = composite(name, {}, (x: Tensor) => {
    const y = f(x)
    wantTensor(nameOf("lambda"), "what the function returns", y)
    return y
  })
  return {
    kind: "lambda",
    in: "any",
    out: "any",
    config: { kind: "lambda", name },
    init: () => ({ params: {}, state: {} }),
    apply: (_params, state, x) => {
      wantTensor(nameOf("lambda"), "the input", x)
      return [whole(x), state]
    },
    outShape: outShape ?? (inShape => whole(zeros([1, ...inShape])).shape.slice(1)),
  }
}
