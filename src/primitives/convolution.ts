// Convolution: one sum of products x[n, o stride + k dilation, g, c] w[k, g, c, o] y[n, o, g, o] over all its axes, of which each primitive
// gives the derivative by one factor. Channels are last, so that neighbours in memory are multiplied by neighbours.
import { type Aval, type Shape, shaped } from "../core/aval.ts"
import { ShapeError } from "../core/errors.ts"
import type { Primitive } from "../core/primitive.ts"
import { bind1, type Tensor } from "../core/tensor.ts"
import { axisIndex, type Index, int, newAxis, plus, times } from "../ir/affine.ts"
import { op, reduce } from "../ir/expr.ts"
import { avalOf, known, moveAxis, permute, wantAlike } from "./base.ts"
import { definePrimitive } from "./define.ts"
import { pad, reshape, slice } from "./structure.ts"

/** For each spatial axis; `flip` runs through the weights backwards. */
export interface Steps {
  readonly stride: Shape
  readonly dilation: Shape
  readonly flip: boolean
}
const spatial = (shape: Shape): Shape => shape.slice(1, -2)
/** Places that a window of `k` weights takes up. */
const reach = (k: number, dilation: number): number => (k - 1) * dilation + 1
/** How many windows fit. */
export const windows = (n: number, k: number, stride: number, dilation: number): number =>
  Math.max(0, Math.floor((n - reach(k, dilation)) / stride) + 1)

/** The place in x of weight k of window o. */
const place = (o: Index, k: Index, d: number, { stride, dilation }: Steps): Index => plus(times(o, stride[d]!), k, dilation[d]!)
const weight = (k: Index, n: number, { flip }: Steps): Index => (flip ? plus(int(n - 1), k, -1) : k)

function wantFloats(name: string, ins: readonly Aval[]): void {
  wantAlike(name, ins[0]!, ins[1]!)
}

/** x [n, ...s, g, c] by w [...k, g, c, o]: [n, ...windows, g, o] */
export const convP: Primitive<Steps> = /*@__PURE__*/ definePrimitive<Steps>({
  name: "conv",
  shape([x, w], p) {
    const [s, k] = [spatial(x!.shape), w!.shape.slice(0, -3)]
    wantFloats("conv", [x!, w!])
    if (w!.shape.length !== x!.shape.length || x!.shape.at(-2) !== w!.shape.at(-3) || x!.shape.at(-1) !== w!.shape.at(-2))
      throw new ShapeError("conv", "wants [n, ...places, groups, channels] and [...window, groups, channels, outputs]", [x!, w!])
    const out = s.map((n, d) => windows(n, k[d]!, p.stride[d]!, p.dilation[d]!))
    return shaped([x!.shape[0]!, ...out, w!.shape.at(-3)!, w!.shape.at(-1)!], x!)
  },
  kind: "contraction",
  at([x, w], idx, p, [, b]) {
    const [n, g, o] = [idx[0]!, idx.at(-2)!, idx.at(-1)!]
    const over = [...b!.shape.slice(0, -3), b!.shape.at(-2)!].map(newAxis)
    const k = over.slice(0, -1).map(axisIndex)
    const c = axisIndex(over.at(-1)!)
    const at = k.map((i, d) => place(idx[d + 1]!, i, d, p))
    const window = k.map((i, d) => weight(i, b!.shape[d]!, p))
    return reduce("sum", over, op("mul", x!([n, ...at, g, c]), w!([...window, g, c, o])))
  },
  push: [(t, [, w], _y, p) => conv(t, w!, p), (t, [x], _y, p) => conv(x!, t, p)],
  pull: [
    (ct, [x, w], p) => convInput(ct, known(w), p, spatial(avalOf(x!).shape)),
    (ct, [x, w], p) => convWeight(known(x), ct, p, avalOf(w!).shape.slice(0, -3)),
  ],
  // examples are more of n, of the outputs, or of the groups
  batch([x, w], [inX, inW], p, b) {
    const r = inX ? x!.ndim - 1 : x!.ndim
    if (!inW) return split(conv(merge(x!, 0), w!, p), 0, b, x!.shape[1]!)
    if (!inX) return front(conv(x!, into(w!, r - 1), p), r - 1, b, w!.shape.at(-1)!)
    return front(conv(into(x!, r - 2), into(w!, r - 3), p), r - 2, b, x!.shape.at(-2)!)
  },
})
export const conv = (x: Tensor, w: Tensor, p: Steps): Tensor => bind1(convP, [x, w], p)

interface Weights extends Steps {
  readonly window: Shape
}
/** x [n, ...s, g, c] by y [n, ...windows, g, o]: [...k, g, c, o] */
export const convWeightP: Primitive<Weights> = /*@__PURE__*/ definePrimitive<Weights>({
  name: "convWeight",
  shape([x, y], { window }) {
    wantFloats("convWeight", [x!, y!])
    return shaped([...window, ...x!.shape.slice(-2), y!.shape.at(-1)!], x!)
  },
  kind: "contraction",
  at([x, y], idx, p, [, b]) {
    const [g, c, o] = idx.slice(-3) as [Index, Index, Index]
    const over = b!.shape.slice(0, -2).map(newAxis)
    const [n, ...at] = over.map(axisIndex)
    const places = at.map((i, d) => place(i, weight(idx[d]!, p.window[d]!, p), d, p))
    return reduce("sum", over, op("mul", x!([n!, ...places, g, c]), y!([n!, ...at, g, o])))
  },
  push: [(t, [, y], _w, p) => convWeight(t, y!, p, p.window), (t, [x], _w, p) => convWeight(x!, t, p, p.window)],
  pull: [(ct, [x, y], p) => convInput(known(y), ct, p, spatial(avalOf(x!).shape)), (ct, [x], p) => conv(known(x), ct, p)],
  batch([x, y], [inX, inY], p, b) {
    const r = inX ? x!.ndim - 1 : x!.ndim
    if (!inY) return front(convWeight(into(x!, r - 1), y!, p, p.window), r - 2, b, x!.shape.at(-1)!)
    if (!inX) return front(convWeight(x!, into(y!, r - 1), p, p.window), r - 1, b, y!.shape.at(-1)!)
    return front(convWeight(into(x!, r - 2), into(y!, r - 2), p, p.window), r - 3, b, x!.shape.at(-2)!)
  },
})
export const convWeight = (x: Tensor, y: Tensor, p: Steps, window: Shape): Tensor =>
  bind1(convWeightP, [x, y], { stride: p.stride, dilation: p.dilation, flip: p.flip, window })

/** y [n, ...windows, g, o] by w [...k, g, c, o], added up where windows overlap: [n, ...s, g, c]. A convolution of y with zeros between. */
export function convInput(y: Tensor, w: Tensor, { stride, dilation, flip }: Steps, s: Shape): Tensor {
  const between = stride.reduce((y, step, d) => spaced(y, d + 1, step), y)
  const before = dilation.map((n, d) => reach(w.shape[d]!, n) - 1)
  const shape = [y.shape[0]!, ...s.map((n, d) => n + before[d]!), ...y.shape.slice(-2)]
  const r = w.ndim
  const turned = permute(w, [...w.shape.keys()].map(d => (d === r - 1 ? r - 2 : d === r - 2 ? r - 1 : d))) // biome-ignore format: one line
  const ones = stride.map(() => 1)
  return conv(pad(between, { start: [0, ...before, 0, 0], shape }), turned, { stride: ones, dilation, flip: !flip })
}
/** `step` - 1 zeros between neighbours along `axis`. */
function spaced(x: Tensor, axis: number, step: number): Tensor {
  const n = x.shape[axis]!
  if (step === 1 || n <= 1) return x
  const wide = x.shape.toSpliced(axis + 1, 0, 1)
  const padded = pad(reshape(x, wide), { start: wide.map(() => 0), shape: wide.with(axis + 1, step) })
  const joined = reshape(padded, x.shape.with(axis, n * step))
  return slice(joined, { start: joined.shape.map(() => 0), shape: joined.shape.with(axis, (n - 1) * step + 1) })
}

/** Axes `axis` and the next as one. */
const merge = (x: Tensor, axis: number): Tensor => reshape(x, x.shape.toSpliced(axis, 2, x.shape[axis]! * x.shape[axis + 1]!))
/** Axis `axis` as two, of lengths `n` and `rest`. */
const split = (x: Tensor, axis: number, n: number, rest: number): Tensor => reshape(x, x.shape.toSpliced(axis, 1, n, rest))
/** The batch axis as part of what is axis `to` without it. */
const into = (x: Tensor, to: number): Tensor => merge(moveAxis(x, 0, to), to)
/** The batch axis out of `axis` again. */
const front = (x: Tensor, axis: number, n: number, rest: number): Tensor => moveAxis(split(x, axis, n, rest), axis, 0)
