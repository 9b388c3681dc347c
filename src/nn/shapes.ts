// Layers that change the shape alone.
import { composite } from "../control/call.ts"
import type { Tensor } from "../core/tensor.ts"
import { mean } from "../ops/reduction.ts"
import { reshape as reshapeTo } from "../ops/shape.ts"
import { wantWidth } from "./checks.ts"
import { type Layer, type LayerOf, nameOf, type OutWidth, wantTensor } from "./layer.ts"

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

type Last<S extends readonly number[]> = S extends readonly [...number[], infer L extends number] ? L : OutWidth

/**
 * Each example's elements in row-major order with another shape: [batch, ...] to [batch, ...shape].
 *
 * Throws TypeError for lengths that are not whole numbers >= 1 and where the numbers of elements differ.
 *
 * @example
 * sequential(dense(4, 12), reshape(3, 4), lstm(4, 8)).outShape([4])  // [8]
 */
export function reshape<const Shape extends readonly number[]>(...shape: Shape): LayerOf<"reshape", "any", Last<Shape>> {
  for (const n of shape) wantWidth("reshape", "a length", n)
  const check = (inShape: readonly number[]): void => {
    if (product(inShape) !== product(shape))
      throw new TypeError(`${nameOf("reshape")}: examples of shape [${inShape}] do not have the ${product(shape)} elements of [${shape}]`)
  }
  const whole = composite("reshape", { shape }, (x: Tensor) => reshapeTo(x, [x.shape[0]!, ...shape]))
  return {
    kind: "reshape",
    in: "any",
    out: (shape.at(-1) ?? "any") as Last<Shape>,
    config: { kind: "reshape", shape },
    init: (_key, inShape) => {
      check(inShape)
      return { params: {}, state: {} }
    },
    apply: (_params, state, x) => {
      wantTensor(nameOf("reshape"), "the input", x)
      if (x.ndim === 0) throw new TypeError(`${nameOf("reshape")}: needs a batch axis; got a scalar`)
      check(x.shape.slice(1))
      return [whole(x), state]
    },
    outShape: inShape => {
      check(inShape)
      return shape
    },
  }
}

/**
 * The mean over axes of the input [batch, ..., channels]: by default over all between the first and the last, [batch, channels].
 * Axes count the batch as 0, and from the end if negative.
 *
 * Throws TypeError for axes that do not exist, and for the first and the last one. Lin, Chen and Yan, arXiv:1312.4400, section 3.2.
 *
 * @example
 * sequential(transformerBlock(64, 4), globalAveragePool(), dense(64, 2)).outShape([20, 64])  // [2]
 */
export function globalAveragePool(...axes: readonly number[]): Layer<"any", "same"> {
  const kind = "globalAveragePool"
  /** Axes of a shape with batch, counted from the front. */
  const chosen = (shape: readonly number[]): readonly number[] => {
    const last = shape.length - 1
    if (!axes.length) return shape.map((_, d) => d).slice(1, -1)
    const from = axes.map(a => (a < 0 ? a + shape.length : a))
    if (!from.every(a => Number.isInteger(a) && a > 0 && a < last) || new Set(from).size < from.length)
      throw new TypeError(
        `${nameOf(kind)}: axes must be between that of the batch and the last, each once; got [${axes}] for shape [${shape}]`,
      )
    return from
  }
  const whole = composite(kind, { axes }, (x: Tensor) => {
    const axis = chosen(x.shape)
    return axis.length ? mean(x, { axis }) : x
  })
  return {
    kind,
    in: "any",
    out: "same",
    config: { kind, axes },
    init: () => ({ params: {}, state: {} }),
    apply: (_params, state, x) => {
      wantTensor(nameOf(kind), "the input", x)
      return [whole(x), state]
    },
    outShape: inShape => {
      const gone = chosen([1, ...inShape])
      return inShape.filter((_, d) => !gone.includes(d + 1))
    },
  }
}
