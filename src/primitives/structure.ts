// Moves of elements: reshape, slice, pad, concat.
import { type Shape, shaped, size } from "../core/aval.ts"
import { DtypeError, ShapeError } from "../core/errors.ts"
import type { Primitive } from "../core/primitive.ts"
import { bind1, Tensor } from "../core/tensor.ts"
import { div, type Index, mod, offset, ravel, times, unravel } from "../ir/affine.ts"
import { type Bound, compare, constant, type Expr, guard, index, typed } from "../ir/expr.ts"
import { add, avalOf, spread, toFront } from "./base.ts"
import { definePrimitive } from "./define.ts"

export const reshapeP: Primitive<{ shape: Shape }> = /*@__PURE__*/ definePrimitive<{ shape: Shape }>({
  name: "reshape",
  shape([x], p) {
    if (size(p.shape) !== size(x!.shape))
      throw new ShapeError("reshape", `shape [${p.shape}] has ${size(p.shape)} elements, which must be as many as the operand's`, [x!])
    return shaped(p.shape, x!)
  },
  at: ([x], idx, p, [a]) => x!(unravel(ravel(idx, p.shape), a!.shape)),
  push: [(t, _xs, _y, p) => reshape(t, p.shape)],
  pull: [(ct, [x]) => reshape(ct, x!.shape)],
  batch: ([x], _mapped, p, n) => reshape(x!, [n, ...p.shape]),
})
export const reshape = (x: Tensor, shape: Shape): Tensor =>
  x.ndim === shape.length && shape.every((n, i) => n === x.shape[i]) ? x : bind1(reshapeP, [x], { shape })

// slice and pad transpose to each other
/** `start` of a box within a larger one, for each axis, and the `shape` of the result. */
interface Window {
  readonly start: Shape
  readonly shape: Shape
}
const deeper = (p: Window, n: number): Window => ({ start: [0, ...p.start], shape: [n, ...p.shape] })
const fits = (inner: Shape, p: { start: Shape }, outer: Shape): boolean =>
  inner.length === outer.length && p.start.length === outer.length && p.start.every((s, d) => s >= 0 && s + inner[d]! <= outer[d]!)

/** The box of extents `shape` from `start`. */
export const sliceP: Primitive<Window> = /*@__PURE__*/ definePrimitive<Window>({
  name: "slice",
  shape([x], p) {
    if (!fits(p.shape, p, x!.shape))
      throw new ShapeError("slice", `the box [${p.shape}] from [${p.start}] must lie within the operand`, [x!])
    return shaped(p.shape, x!)
  },
  at: ([x], idx, p) => x!(idx.map((i, d) => offset(i, p.start[d]!))),
  push: [(t, _xs, _y, p) => slice(t, p)],
  pull: [(ct, [x], p) => pad(ct, { start: p.start, shape: x!.shape })],
  batch: ([x], _mapped, p, n) => slice(x!, deeper(p, n)),
})
export const slice = (x: Tensor, p: Window): Tensor => (x.shape.every((n, d) => n === p.shape[d]) ? x : bind1(sliceP, [x], p))

/** Zeros of extents `shape`, with the operand at `start`. */
export const padP: Primitive<Window> = /*@__PURE__*/ definePrimitive<Window>({
  name: "pad",
  shape([x], p) {
    if (!fits(x!.shape, p, p.shape))
      throw new ShapeError("pad", `the operand at [${p.start}] must lie within the result [${p.shape}]`, [x!])
    return shaped(p.shape, x!)
  },
  at([x], idx, p, [a]) {
    const at: Index[] = []
    const bounds: Bound[] = []
    idx.forEach((i, d) => {
      const [n, start] = [a!.shape[d]!, p.start[d]!]
      // one of several equal parts: the loop splits into parts and their elements, and only the former are looked at
      const isPart = n > 0 && p.shape[d]! % n === 0 && start % n === 0
      at.push(isPart ? mod(i, n) : offset(i, -start))
      if (n !== p.shape[d]) bounds.push(isPart ? { i: offset(div(i, n), -start / n), n: 1 } : { i: at[d]!, n })
    })
    return guard(bounds, x!(at))
  },
  push: [(t, _xs, _y, p) => pad(t, p)],
  pull: [(ct, [x], p) => slice(ct, { start: p.start, shape: x!.shape })],
  batch: ([x], _mapped, p, n) => pad(x!, deeper(p, n)),
})
export const pad = (x: Tensor, p: Window): Tensor => (x.shape.every((n, d) => n === p.shape[d]) ? x : bind1(padP, [x], p))

/** The elements along `axes` from the last to the first. */
export const flipP: Primitive<{ axes: Shape }> = /*@__PURE__*/ definePrimitive<{ axes: Shape }>({
  name: "flip",
  shape: ([x]) => x!,
  at: ([x], idx, p, [a]) => x!(idx.map((i, d) => (p.axes.includes(d) ? offset(times(i, -1), a!.shape[d]! - 1) : i))),
  push: [(t, _xs, _y, p) => flip(t, p.axes)],
  pull: [(ct, _xs, p) => flip(ct, p.axes)],
  batch: ([x], _mapped, p) =>
    flip(
      x!,
      p.axes.map(d => d + 1),
    ),
})
export const flip = (x: Tensor, axes: Shape): Tensor => (axes.length === 0 ? x : bind1(flipP, [x], { axes }))

/** Joins operands along `axis`. */
export const concatP: Primitive<{ axis: number }> = {
  name: "concat",
  shape(ins, { axis }) {
    const [x] = ins as [(typeof ins)[0]]
    if (ins.some(a => a.dtype !== x!.dtype)) throw new DtypeError("concat", "operands must have one dtype", ins)
    if (
      axis < 0 ||
      axis >= x!.shape.length ||
      ins.some(a => a.shape.length !== x!.shape.length || a.shape.some((n, d) => d !== axis && n !== x!.shape[d]))
    )
      throw new ShapeError("concat", `operands must agree in all axes but ${axis}`, ins)
    return [
      {
        ...x!,
        shape: x!.shape.with(
          axis,
          ins.reduce((n, a) => n + a.shape[axis]!, 0),
        ),
      },
    ]
  },
  meaning: {
    kind: "map",
    at(ins, idx, { axis }, avals) {
      const i = idx[axis]!
      const starts = startsOf(avals.map(a => a.shape[axis]!))
      const part = (k: number): Expr => {
        const n = avals[k]!.shape[axis]!
        const local = offset(i, -starts[k]!)
        const here = guard([{ i: local, n }], ins[k]!(idx.with(axis, local)))
        if (k === ins.length - 1) return here
        return typed(here.t, "select", compare("lt", index(i), constant("i32", starts[k]! + n)), here, part(k + 1))
      }
      return ins.length === 1 ? ins[0]!(idx) : part(0)
    },
  },
  jvp(xs, ts, p) {
    // each tangent lies in zeros of the result's shape
    const y = concat(xs, p.axis)
    const starts = startsOf(xs.map(x => x.shape[p.axis]!))
    const parts = ts.map((t, k) => t && pad(t, { start: t.shape.map((_, d) => (d === p.axis ? starts[k]! : 0)), shape: y.shape }))
    if (ts.every(t => t !== null)) return [[y], [concat(ts as Tensor[], p.axis)]]
    return [[y], [parts.filter(t => t !== null).reduce((a, b) => add(a, b))]]
  },
  transpose([ct], xs, p) {
    const starts = startsOf(xs.map(x => x.shape[p.axis]!))
    return xs.map((x, k) => {
      if (x instanceof Tensor) return null
      const { shape } = avalOf(x)
      return slice(ct!, { start: shape.map((_, d) => (d === p.axis ? starts[k]! : 0)), shape })
    })
  },
  batch: (xs, axes, p, n) => [
    [
      concat(
        xs.map((x, i) => spread(toFront(x, axes[i]!), axes[i] !== null, n)),
        p.axis + 1,
      ),
    ],
    [0],
  ],
}
export const concat = (xs: readonly Tensor[], axis: number): Tensor => bind1(concatP, xs, { axis })

const startsOf = (lengths: readonly number[]): number[] => {
  const starts = [0]
  for (const n of lengths) starts.push(starts.at(-1)! + n)
  return starts
}
