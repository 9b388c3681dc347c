// Extremes over axes, and where they are.
import { type Shape, shaped } from "../core/aval.ts"
import { ShapeError } from "../core/errors.ts"
import type { Primitive } from "../core/primitive.ts"
import { bind1, type Tensor } from "../core/tensor.ts"
import { broadcast, combined, sum, wantNumbers, without } from "./base.ts"
import { definePrimitive } from "./define.ts"
import { cast, div, eq, mul } from "./elementwise.ts"

const deeper = (axes: Shape): Shape => axes.map(a => a + 1)

/** The derivative of an extreme goes to where it is taken, in equal shares where it is taken several times. */
const extreme = (name: "max" | "min"): Primitive<{ axes: Shape }> => {
  const self: Primitive<{ axes: Shape }> = definePrimitive<{ axes: Shape }>({
    name,
    shape([x], p) {
      wantNumbers(name, [x!])
      if (p.axes.some(d => x!.shape[d] === 0)) throw new ShapeError(name, "an extreme of no elements does not exist", [x!])
      return shaped(without(x!.shape, p.axes), x!)
    },
    kind: "reduce",
    at: ([x], idx, p, [a]) => combined(name, x!, a!, p.axes, idx),
    push: [
      (t, [x], y, p) => {
        const here = cast(eq(x!, broadcast(y, x!.shape, p.axes)), x!.dtype)
        return div(sum(mul(t, here), p.axes), sum(here, p.axes))
      },
    ],
    batch: ([x], _mapped, p) => bind1(self, [x!], { axes: deeper(p.axes) }),
  })
  return self
}
export const maxP: Primitive<{ axes: Shape }> = /*@__PURE__*/ extreme("max")
export const max = (x: Tensor, axes: Shape): Tensor => (axes.length === 0 ? x : bind1(maxP, [x], { axes }))
export const minP: Primitive<{ axes: Shape }> = /*@__PURE__*/ extreme("min")
export const min = (x: Tensor, axes: Shape): Tensor => (axes.length === 0 ? x : bind1(minP, [x], { axes }))

const position = (name: "argmax" | "argmin"): Primitive<{ axis: number }> => {
  const self: Primitive<{ axis: number }> = definePrimitive<{ axis: number }>({
    name,
    shape([x], { axis }) {
      wantNumbers(name, [x!])
      if (!x!.shape[axis]) throw new ShapeError(name, `axis ${axis} must hold elements`, [x!])
      return { shape: without(x!.shape, [axis]), dtype: "i32" }
    },
    kind: "reduce",
    at: ([x], idx, { axis }, [a]) => combined(name, x!, a!, [axis], idx),
    push: [null],
    batch: ([x], _mapped, { axis }) => bind1(self, [x!], { axis: axis + 1 }),
  })
  return self
}
export const argmaxP: Primitive<{ axis: number }> = /*@__PURE__*/ position("argmax")
export const argmax = (x: Tensor, axis: number): Tensor => bind1(argmaxP, [x], { axis })
export const argminP: Primitive<{ axis: number }> = /*@__PURE__*/ position("argmin")
export const argmin = (x: Tensor, axis: number): Tensor => bind1(argminP, [x], { axis })
