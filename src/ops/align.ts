// Numbers become tensors and shapes are aligned here, because primitives never broadcast.
import { type Aval, type Shape, sameShape, shaped } from "../core/aval.ts"
import { isFloating, isNumeric } from "../core/dtype.ts"
import { DtypeError, ShapeError } from "../core/errors.ts"
import { Tensor } from "../core/tensor.ts"
import * as p from "../primitives/index.ts"

/** What functions accept as an array: a tensor, or a number, which takes the dtype of the tensor it meets. */
export type Operand = Tensor | number

function tensorOrNumber(name: string, x: unknown): asserts x is Operand {
  if (!(x instanceof Tensor) && typeof x !== "number") throw new TypeError(`${name}: wants tensors or numbers; got ${kindOf(x)}`)
}
const kindOf = (x: unknown): string => (Array.isArray(x) ? "an array: make it a tensor with tensor(...)" : typeof x)

/** Operands of one dtype: numbers and weak tensors take that of the first other one. */
export function promote(name: string, operands: readonly Operand[]): Tensor[] {
  let a: Aval | undefined
  for (const x of operands) {
    tensorOrNumber(name, x)
    if (x instanceof Tensor && (!a || (a.weak && !x.aval.weak))) a = x.aval
  }
  a ??= { shape: [], dtype: "f32" }
  return operands.map(x => {
    if (typeof x === "number") {
      if (!(isFloating(a.dtype) || (a.dtype === "i32" && Number.isInteger(x))))
        throw new DtypeError(name, `the number ${x} does not fit ${a.dtype}`, [a])
      return p.fullLike(shaped([], a), x)
    }
    if (!x.aval.weak || a.weak) return x
    if (!isFloating(a.dtype))
      throw new DtypeError(
        name,
        `a number that is known only at run time does not fit ${a.dtype} (pass tensor(n, { dtype: "${a.dtype}" }) instead)`,
        [x.aval, a],
      )
    return p.cast(x, a.dtype)
  })
}

/** A tensor; numbers become f32. */
export const lift = (name: string, x: Operand): Tensor => promote(name, [x])[0]!

/** The shape that operands have in common once axes they lack, or have as 1, are repeated. */
export function commonShape(name: string, avals: readonly Aval[]): Shape {
  const [first] = avals
  if (first && avals.every(a => sameShape(a.shape, first.shape))) return first.shape
  const rank = Math.max(0, ...avals.map(a => a.shape.length))
  return Array.from({ length: rank }, (_, d) => {
    const sizes = avals.map(a => a.shape[d - rank + a.shape.length] ?? 1)
    const n = sizes.find(s => s !== 1) ?? 1
    if (sizes.some(s => s !== 1 && s !== n))
      throw new ShapeError(name, `shapes do not align: axis ${d - rank} has lengths ${[...new Set(sizes)].join(" and ")}`, avals)
    return n
  })
}

/** `x` repeated along axes it lacks or has as 1: `broadcastTo` without its checks. */
export function repeatTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x
  const missing = shape.length - x.ndim
  const fits = missing >= 0 && x.shape.every((n, d) => n === 1 || n === shape[d + missing])
  if (!fits) throw new ShapeError("broadcastTo", `axes must be 1 or those of [${shape}]`, [x.aval])
  const repeated = shape.map((_, d) => d).filter(d => d < missing || x.shape[d - missing] !== shape[d])
  const kept = shape.filter((_, d) => !repeated.includes(d))
  return p.broadcast(p.reshape(x, kept), shape, repeated)
}

export function alignShapes(name: string, xs: readonly Tensor[]): Tensor[] {
  const shape = commonShape(
    name,
    xs.map(x => x.aval),
  )
  return xs.map(x => repeatTo(x, shape))
}
/** Operands of one dtype and one shape. */
export const align = (name: string, operands: readonly Operand[]): Tensor[] => alignShapes(name, promote(name, operands))

/** An axis counted from the front. */
export function axisOf(name: string, x: Tensor, axis: number): number {
  const d = axis < 0 ? axis + x.ndim : axis
  if (!Number.isInteger(axis) || d < 0 || d >= x.ndim) throw new ShapeError(name, `there is no axis ${JSON.stringify(axis)}`, [x.aval])
  return d
}
export function axesOf(name: string, x: Tensor, axis: number | readonly number[] | undefined): number[] {
  if (axis === undefined) return p.allAxes(x).slice()
  const axes = (typeof axis === "number" ? [axis] : axis).map(a => axisOf(name, x, a))
  if (new Set(axes).size !== axes.length) throw new ShapeError(name, `axes [${axis}] name one axis twice`, [x.aval])
  return axes.sort((a, b) => a - b)
}

export function wantFloating(name: string, x: Tensor): void {
  if (!isFloating(x.dtype)) throw new DtypeError(name, "wants floating point", [x.aval])
}
export function wantNumbers(name: string, x: Tensor): void {
  if (!isNumeric(x.dtype)) throw new DtypeError(name, "wants numbers (f32, f64 or i32)", [x.aval])
}
/** Tensors, where a number makes no sense. */
export function wantTensors(name: string, xs: readonly unknown[]): asserts xs is readonly Tensor[] {
  if (!Array.isArray(xs))
    throw new TypeError(`${name}: wants a list of tensors, as in ${name}([x, y]); got ${xs instanceof Tensor ? "a tensor" : typeof xs}`)
  const other = xs.findIndex(x => !(x instanceof Tensor))
  if (other >= 0) throw new TypeError(`${name}: wants tensors; got ${kindOf(xs[other])}`)
}
/** Options by name: a bare axis would be taken for no options at all. */
export function wantOptions(name: string, options: unknown): void {
  if (typeof options !== "object") throw new TypeError(`${name}: options come by name, as in { axis: 0 }; got ${options}`)
}
/** Operands of one dtype, where nothing is aligned. */
export function wantOneDtype(name: string, xs: readonly Tensor[]): void {
  if (xs.some(x => x.dtype !== xs[0]!.dtype)) throw new DtypeError(name, "operands must have one dtype", xs.map(x => x.aval)) // biome-ignore format: short
}
/** Throws TypeError unless `x` says how to compute gelu. */
export function wantApproximate(name: string, x: unknown): void {
  if (x !== "none" && x !== "tanh") throw new TypeError(`${name}: approximate must be "none" or "tanh"; got ${JSON.stringify(x)}`)
}
