// What the short form is itself built from, in joint form: constants, addition, and the moves and copies of elements.
import { type Aval, type Shape, same, sameShape, shaped, size } from "../core/aval.ts"
import { fromArray } from "../core/concrete.ts"
import { allocate, type Dtype, heldAs, isNumeric } from "../core/dtype.ts"
import { DtypeError, ShapeError } from "../core/errors.ts"
import type { Axis, Maybe, Operand, Primitive } from "../core/primitive.ts"
import { bind, bind1, Tensor } from "../core/tensor.ts"
import { axisIndex, type Index, type Axis as LoopAxis, newAxis } from "../ir/affine.ts"
import { type Combiner, constant, type Expr, index, op, type Read, reduce } from "../ir/expr.ts"

const never = (): never => {
  throw new Error("an operation without operands never reaches a transform")
}
/** Literals of so many elements are written out at once. */
const SMALL = 4096
const none = (): Maybe[] => []

export const fullP: Primitive<{ shape: Shape; value: number; dtype: Dtype; weak?: true }> = {
  name: "full",
  shape: (_ins, p) => [shaped(p.shape, p)],
  meaning: { kind: "map", at: (_ins, _idx, p) => constant(heldAs(p.dtype), p.value) },
  literal({ value, ...p }) {
    // a program that writes some numbers takes longer to make than to run
    if (size(p.shape) <= SMALL) return fromArray(allocate(p.dtype, size(p.shape)).fill(value), p)
    const x = fromArray(allocate(p.dtype, 1).fill(value), shaped([], p))
    return broadcast(
      x,
      p.shape,
      p.shape.map((_, i) => i),
    )
  },
  jvp: never,
  transpose: none,
  batch: never,
}
/** `value` everywhere. */
export const full = (shape: Shape, value: number, dtype: Dtype): Tensor => bind1(fullP, [], { shape, value, dtype })
export const fullLike = (a: Aval, value: number): Tensor =>
  bind1(fullP, [], { shape: a.shape, value, dtype: a.dtype, ...(a.weak && { weak: true as const }) })
export const zeros = (a: Aval): Tensor => fullLike(a, 0)

export const iotaP: Primitive<{ n: number }> = {
  name: "iota",
  shape: (_ins, p) => [{ shape: [p.n], dtype: "i32" }],
  meaning: { kind: "map", at: (_ins, idx) => index(idx[0]!) },
  jvp: never,
  transpose: none,
  batch: never,
}
/** 0, 1, ... n - 1 as i32. */
export const iota = (n: number): Tensor => bind1(iotaP, [], { n })

/** jvp of an operation that is linear in its only operand. */
export const linearJvp =
  <P>(self: () => Primitive<P>): Primitive<P>["jvp"] =>
  (xs, ts, p) => [bind(self(), xs, p), bind(self(), ts as readonly Tensor[], p)]

export const permuteP: Primitive<{ perm: Shape }> = {
  name: "permute",
  shape([x], p) {
    const axes = [...p.perm].sort((a, b) => a - b)
    if (axes.length !== x!.shape.length || axes.some((a, i) => a !== i))
      throw new ShapeError("transpose", `axes [${p.perm}] must name each axis of the operand once`, [x!])
    return [
      shaped(
        p.perm.map(d => x!.shape[d]!),
        x!,
      ),
    ]
  },
  meaning: { kind: "map", at: ([x], idx, p) => x!(p.perm.map((_, d) => idx[p.perm.indexOf(d)]!)) },
  jvp: linearJvp(() => permuteP),
  transpose: ([ct], _xs, p) => [
    permute(
      ct!,
      p.perm.map((_, d) => p.perm.indexOf(d)),
    ),
  ],
  batch: ([x], [axis], p) => [[permute(x!, [axis!, ...p.perm.map(d => (d < axis! ? d : d + 1))])], [0]],
}
export const permute = (x: Tensor, perm: Shape): Tensor =>
  perm.length === x.ndim && perm.every((d, i) => d === i) ? x : bind1(permuteP, [x], { perm })

export function moveAxis(x: Tensor, from: number, to: number): Tensor {
  const perm = x.shape.map((_, i) => i).filter(i => i !== from)
  perm.splice(to, 0, from)
  return permute(x, perm)
}
export const toFront = (x: Tensor, axis: Axis): Tensor => (axis === null ? x : moveAxis(x, axis, 0))

// broadcast and sum transpose to each other
export const broadcastP: Primitive<{ shape: Shape; axes: Shape }> = {
  name: "broadcast",
  shape([x], p) {
    if (
      !sameShape(
        x!.shape,
        p.shape.filter((_, i) => !p.axes.includes(i)),
      )
    )
      throw new ShapeError("broadcast", `shape [${p.shape}] without axes [${p.axes}] must be the operand's`, [x!])
    return [shaped(p.shape, x!)]
  },
  meaning: { kind: "map", at: ([x], idx, p) => x!(idx.filter((_, i) => !p.axes.includes(i))) },
  jvp: linearJvp(() => broadcastP),
  transpose: ([ct], _xs, p) => [sum(ct!, p.axes)],
  batch: ([x], [axis], p, n) => [
    [
      broadcast(
        toFront(x!, axis!),
        [n, ...p.shape],
        p.axes.map(a => a + 1),
      ),
    ],
    [0],
  ],
}
/** Copies `x` along new `axes` so that the result has `shape`. */
export const broadcast = (x: Tensor, shape: Shape, axes: Shape): Tensor => (axes.length === 0 ? x : bind1(broadcastP, [x], { shape, axes }))
/** Gives every operand a batch axis in front. */
export const spread = (x: Tensor, mapped: boolean, n: number): Tensor => (mapped ? x : broadcast(x, [n, ...x.shape], [0]))

/** Combines the elements of `x` over the axes in `over`, which are loops of their own; the others are those of `idx`. */
export function combined(name: Combiner, x: Read, a: Aval, over: Shape, idx: readonly Index[]): Expr {
  const axes: LoopAxis[] = []
  let next = 0
  const at = a.shape.map((n, d) => {
    if (!over.includes(d)) return idx[next++]!
    axes.push(newAxis(n))
    return axisIndex(axes.at(-1)!)
  })
  return reduce(name, axes, x(at))
}
export const without = (shape: Shape, axes: Shape): Shape => shape.filter((_, i) => !axes.includes(i))
export const allAxes = (x: { shape: Shape }): Shape => x.shape.map((_, i) => i)

export const sumP: Primitive<{ axes: Shape }> = {
  name: "sum",
  shape([x], p) {
    wantNumbers("sum", [x!])
    return [shaped(without(x!.shape, p.axes), x!)]
  },
  meaning: {
    kind: "reduce",
    at: ([x], idx, p, [a]) => combined("sum", x!, a!, p.axes, idx),
  },
  jvp: linearJvp(() => sumP),
  transpose: ([ct], [x], p) => [broadcast(ct!, x!.shape, p.axes)],
  batch: ([x], [axis], p) => [
    [
      sum(
        toFront(x!, axis!),
        p.axes.map(a => a + 1),
      ),
    ],
    [0],
  ],
}
/** Sums over `axes`, which disappear. */
export const sum = (x: Tensor, axes: Shape): Tensor => (axes.length === 0 ? x : bind1(sumP, [x], { axes }))

/** Throws DtypeError where the first operand is nothing to compute with. */
export function wantNumbers(name: string, ins: readonly Aval[]): void {
  if (!isNumeric(ins[0]!.dtype)) throw new DtypeError(name, "wants numbers (f32, f64 or i32)", ins)
}
/** Throws DtypeError unless both operands are numbers of one dtype. */
export function wantAlike(name: string, x: Aval, y: Aval): void {
  if (x.dtype !== y.dtype || !isNumeric(x.dtype)) throw new DtypeError(name, "operands must be numbers of one dtype", [x, y])
}
/** The common aval of operands that must agree; weak only if all are. */
export function agree(name: string, ins: readonly Aval[]): Aval {
  const [x] = ins as [Aval]
  for (const y of ins) {
    if (x.dtype !== y.dtype) throw new DtypeError(name, "operands must have one dtype", ins)
    if (!same(x, y)) throw new ShapeError(name, "operands must have one shape (broadcast them first)", ins)
  }
  return x.weak ? (ins.find(a => !a.weak) ?? x) : x
}

export const addP: Primitive<null> = {
  name: "add",
  shape(ins) {
    const a = agree("add", ins)
    wantNumbers("add", ins)
    return [a]
  },
  meaning: { kind: "map", at: ([x, y], idx) => op("add", x!(idx), y!(idx)) },
  jvp: ([x, y], [s, t]) => [[add(x!, y!)], [addMaybe(s!, t!)]],
  transpose: ([ct]) => [ct!, ct!],
  batch: ([x, y], [i, j], _p, n) => [[add(spread(toFront(x!, i!), i !== null, n), spread(toFront(y!, j!), j !== null, n))], [0]],
}
export const add = (x: Tensor, y: Tensor): Tensor => bind1(addP, [x, y], null)
export const addMaybe = (x: Maybe, y: Maybe): Maybe => (x && y ? add(x, y) : (x ?? y))
/** An operand that the operation is not linear in, hence known. */
export const known = (x: Operand | undefined): Tensor => x as Tensor
export const avalOf = (x: Operand): Aval => (x instanceof Tensor ? x.aval : x)
