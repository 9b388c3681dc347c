// Convolution and pooling. Images are [n, height, width, channels]: channels last, as in TensorFlow; sequences [n, length, channels].
import type { Shape } from "../core/aval.ts"
import { DtypeError, ShapeError } from "../core/errors.ts"
import type { Tensor } from "../core/tensor.ts"
import * as p from "../primitives/index.ts"
import { wantFloating, wantNumbers, wantTensors } from "./align.ts"
import { add, div, where } from "./arithmetic.ts"
import { full } from "./create.ts"
import { pad } from "./shape.ts"

/**
 * What is put around the places: "valid" nothing, "same" zeros so that there are ceil(n / stride) windows (more of them behind, as in
 * TensorFlow), or how many: one number, one for each spatial axis, or [before, after] for each.
 */
export type Padding = "valid" | "same" | number | readonly (number | readonly [before: number, after: number])[]
/** One number for all spatial axes, or one for each. */
export type Each = number | Shape

export interface ConvOptions {
  /** From window to window. Default: 1. */
  readonly stride?: Each
  /** Default: "valid". */
  readonly padding?: Padding
  /** From place to place inside of a window. Default: 1. */
  readonly dilation?: Each
  /** Channels and outputs fall into so many groups, which do not see each other; as many as channels: depthwise. Default: 1. */
  readonly groups?: number
}

/** A whole number from `least` for each of `n` spatial axes. */
function each(call: string, name: string, x: Each, n: number, least = 1): Shape {
  const all = typeof x === "number" ? Array<number>(n).fill(x) : x
  if (!Array.isArray(all) || all.length !== n || !all.every(i => Number.isInteger(i) && i >= least))
    throw new TypeError(`${call}: ${name} must be a whole number >= ${least}, or ${n} of them; got ${JSON.stringify(x)}`)
  return all
}
/** Places before and after, for windows that reach over `reach` places. */
function widths(call: string, padding: Padding, places: Shape, reach: Shape, stride: Shape): readonly (readonly [number, number])[] {
  if (padding === "valid") return places.map(() => [0, 0])
  if (padding === "same")
    return places.map((n, d) => {
      const all = Math.max(0, (Math.ceil(n / stride[d]!) - 1) * stride[d]! + reach[d]! - n)
      return [all >> 1, all - (all >> 1)]
    })
  const list = typeof padding === "number" ? places.map(() => padding) : padding
  const pairs = Array.isArray(list) ? list.map((x): readonly [number, number] => (typeof x === "number" ? [x, x] : x)) : []
  if (pairs.length !== places.length || !pairs.every(pair => pair.length === 2 && pair.every(i => Number.isInteger(i) && i >= 0)))
    throw new TypeError(
      `${call}: padding must be "valid", "same", a whole number >= 0, or one (or [before, after]) for each of ${places.length} axes; got ${JSON.stringify(padding)}`,
    )
  return pairs
}
/** How many windows there are along each spatial axis. */
export function windowsAlong(call: string, places: Shape, window: Each, options: Omit<ConvOptions, "groups">): Shape {
  const rank = places.length
  const [size, stride, dilation] = [window, options.stride ?? 1, options.dilation ?? 1].map((x, i) =>
    each(call, ["window", "stride", "dilation"][i]!, x, rank),
  ) as [Shape, Shape, Shape]
  const reach = dilation.map((n, d) => (size[d]! - 1) * n + 1)
  const around = widths(call, options.padding ?? "valid", places, reach, stride)
  return places.map((n, d) => p.windows(n + around[d]![0] + around[d]![1], size[d]!, stride[d]!, dilation[d]!))
}
const outside = [0, 0] as const
const around = (x: Tensor, spatial: readonly (readonly [number, number])[]): Tensor => pad(x, [outside, ...spatial, outside])

/** Channels as groups of channels. */
const grouped = (x: Tensor, axis: number, groups: number): Tensor =>
  p.reshape(x, x.shape.toSpliced(axis, 1, groups, x.shape[axis]! / groups))
const ungrouped = (x: Tensor): Tensor => p.reshape(x, [...x.shape.slice(0, -2), x.shape.at(-2)! * x.shape.at(-1)!])

function wantConv(call: string, x: Tensor, w: Tensor, groups: number, rank: number): void {
  wantTensors(call, [x, w])
  if (x.dtype !== w.dtype || x.dtype === "bool") throw new DtypeError(call, "operands must be numbers of one dtype", [x.aval, w.aval])
  const want = (ok: boolean, text: string): void => {
    if (!ok) throw new ShapeError(call, text, [x.aval, w.aval])
  }
  const [places, window] = rank === 1 ? ["length", "window"] : ["height, width", "height, width"]
  want(x.ndim === rank + 2 && w.ndim === rank + 2, `wants [n, ${places}, channels] and weights [${window}, channels, outputs]`)
  const [channels, outputs] = [x.shape.at(-1)!, w.shape.at(-1)!]
  if (!Number.isInteger(groups) || groups < 1) throw new TypeError(`${call}: groups must be a whole number >= 1; got ${groups}`)
  want(outputs % groups === 0 && channels % groups === 0, `${groups} groups must divide channels and outputs`)
  want(w.shape.at(-2) === channels / groups, `weights must have ${channels / groups} channels, those of a group`)
}

function convolve(call: string, x: Tensor, w: Tensor, options: ConvOptions, rank: number): Tensor {
  const { groups = 1, padding = "valid" } = options
  wantConv(call, x, w, groups, rank)
  const stride = each(call, "stride", options.stride ?? 1, rank)
  const dilation = each(call, "dilation", options.dilation ?? 1, rank)
  const reach = dilation.map((n, d) => (w.shape[d]! - 1) * n + 1)
  const whole = around(x, widths(call, padding, x.shape.slice(1, -1), reach, stride))
  // weights [..., channels of a group, groups * outputs of a group] -> [..., groups, channels, outputs]
  const weights = p.moveAxis(grouped(w, rank + 1, groups), rank + 1, rank)
  return ungrouped(p.conv(grouped(whole, rank + 1, groups), weights, { stride, dilation, flip: false }))
}

/**
 * Convolution (cross-correlation, as everywhere in this field) of sequences: x [n, length, channels] with weights [window, channels / groups,
 * outputs] gives [n, windows, outputs], y[n, i, o] = sum over k, c of x[n, i stride + k dilation, c] w[k, c, o].
 *
 * Throws ShapeError where channels and weights do not fit, TypeError for options out of range.
 *
 * @example
 * conv1d(tensor([[[1], [2], [4]]]), tensor([[[1]], [[-1]]]))              // [[[-1], [-2]]]
 * conv1d(zeros([1, 10, 3]), zeros([5, 3, 8]), { padding: "same" })        // f32[1,10,8]
 */
export const conv1d = (x: Tensor, w: Tensor, options: ConvOptions = {}): Tensor => convolve("conv1d", x, w, options, 1)
/**
 * Convolution of images: x [n, height, width, channels] with weights [height, width, channels / groups, outputs]; see `conv1d`.
 *
 * @example
 * conv2d(zeros([1, 28, 28, 1]), zeros([5, 5, 1, 8]), { stride: 2, padding: 2 })  // f32[1,14,14,8]
 */
export const conv2d = (x: Tensor, w: Tensor, options: ConvOptions = {}): Tensor => convolve("conv2d", x, w, options, 2)

export interface ConvTransposeOptions extends Omit<ConvOptions, "padding"> {
  /** What the convolution that this one transposes would have put around its input; taken away here. Default: 0. */
  readonly padding?: number | readonly (number | readonly [before: number, after: number])[]
  /** More places behind, where several lengths would give the same number of windows. Default: 0. */
  readonly outputPadding?: Each
}

/** How many places the transpose of a convolution with so many windows has along each spatial axis. */
export function placesOfTransposed(call: string, counts: Shape, window: Shape, options: Omit<ConvTransposeOptions, "groups">): Shape {
  const whole = wholeOf(call, counts, window, options)
  const taken = takenAway(call, options.padding, counts)
  return whole.map((n, d) => n - taken[d]![0] - taken[d]![1])
}
function takenAway(call: string, padding: ConvTransposeOptions["padding"] = 0, counts: Shape): readonly (readonly [number, number])[] {
  if (typeof padding === "string")
    throw new TypeError(`${call}: padding is how many places to take away, such as 1; got ${JSON.stringify(padding)}`)
  return widths(call, padding, counts, counts, counts)
}
/** The same before padding is taken away. */
function wholeOf(call: string, counts: Shape, window: Shape, { stride = 1, dilation = 1, outputPadding = 0 }: ConvTransposeOptions): Shape {
  const rank = counts.length
  const [step, apart] = [each(call, "stride", stride, rank), each(call, "dilation", dilation, rank)]
  const more = each(call, "outputPadding", outputPadding, rank, 0)
  return counts.map((n, d) => (n - 1) * step[d]! + (window[d]! - 1) * apart[d]! + 1 + more[d]!)
}
function transposed(call: string, y: Tensor, w: Tensor, options: ConvTransposeOptions, rank: number): Tensor {
  const { groups = 1 } = options
  wantConv(call, y, w, groups, rank)
  const stride = each(call, "stride", options.stride ?? 1, rank)
  const dilation = each(call, "dilation", options.dilation ?? 1, rank)
  const counts = y.shape.slice(1, -1)
  const whole = wholeOf(call, counts, w.shape, options)
  const taken = takenAway(call, options.padding, counts)
  // the channels of y are the outputs of the convolution that is transposed
  const weights = p.swap(p.moveAxis(grouped(w, rank + 1, groups), rank + 1, rank))
  const x = ungrouped(p.convInput(grouped(y, rank + 1, groups), weights, { stride, dilation, flip: false }, whole))
  const left = whole.map((n, d) => n - taken[d]![0] - taken[d]![1])
  if (left.some(n => n < 0))
    throw new TypeError(`${call}: padding takes away more than the [${whole}] places there are; got ${JSON.stringify(options.padding)}`)
  return p.slice(x, { start: [0, ...taken.map(([a]) => a), 0], shape: [x.shape[0]!, ...left, x.shape.at(-1)!] })
}
/**
 * The transpose of `conv1d` by its input: y [n, windows, channels] with weights [window, channels / groups, outputs] gives
 * [n, (windows - 1) stride + (window - 1) dilation + 1 - padding + outputPadding, outputs]; every element of y adds its window.
 *
 * @example
 * convTranspose1d(tensor([[[1], [2]]]), tensor([[[1]], [[3]]]), { stride: 2 })  // [[[1], [3], [2], [6]]]
 */
export const convTranspose1d = (y: Tensor, w: Tensor, options: ConvTransposeOptions = {}): Tensor =>
  transposed("convTranspose1d", y, w, options, 1)
/**
 * The transpose of `conv2d` by its input, which makes images larger; see `convTranspose1d`.
 *
 * @example
 * convTranspose2d(zeros([1, 7, 7, 8]), zeros([2, 2, 8, 3]), { stride: 2 })  // f32[1,14,14,3]
 */
export const convTranspose2d = (y: Tensor, w: Tensor, options: ConvTransposeOptions = {}): Tensor =>
  transposed("convTranspose2d", y, w, options, 2)

export interface PoolOptions {
  /** From window to window. Default: the window's size. */
  readonly stride?: Each
  /** Default: "valid". */
  readonly padding?: Padding
}
export interface AveragePoolOptions extends PoolOptions {
  /** Whether padding counts as zeros, as in PyTorch, or not at all, as in TensorFlow. Default: true. */
  readonly countPadding?: boolean
}

/** Each place of a window as a tensor of all windows, and whether the place lies inside of x. */
function placesOf(call: string, x: Tensor, window: Each, { stride = window, padding = "valid" }: PoolOptions) {
  wantTensors(call, [x])
  wantNumbers(call, x)
  const rank = x.ndim - 2
  if (rank < 1) throw new ShapeError(call, "wants [n, ...places, channels]", [x.aval])
  const size = each(call, "window", window, rank)
  const step = each(call, "stride", stride, rank)
  const margins = widths(call, padding, x.shape.slice(1, -1), size, step)
  const whole = around(x, margins)
  const isPadded = margins.some(([a, b]) => a + b > 0)
  const inside = isPadded ? around(p.full(x.shape, 1, "bool"), margins) : undefined
  const counts = size.map((k, d) => p.windows(whole.shape[d + 1]!, k, step[d]!, 1))
  const offsets = size.reduce<number[][]>((all, k) => all.flatMap(o => Array.from({ length: k }, (_, i) => [...o, i])), [[]])
  const pick = (x: Tensor, offset: readonly number[]): Tensor =>
    offset.reduce((y, from, d) => strided(y, d + 1, from, step[d]!, counts[d]!), x)
  return { parts: offsets.map(o => ({ x: pick(whole, o), inside: inside && pick(inside, o) })), size }
}
/** `count` entries along `axis`, every `step` from `from` on. */
function strided(x: Tensor, axis: number, from: number, step: number, count: number): Tensor {
  const take = (x: Tensor, start: number, n: number): Tensor =>
    p.slice(x, { start: x.shape.map((_, d) => (d === axis ? start : 0)), shape: x.shape.with(axis, n) })
  if (step === 1 || count <= 1) return take(x, from, count)
  // whole rows of `step` entries, of which each has one: loops over entries split into rows and their places
  const row = from % step
  const first = from - row
  const need = first + count * step
  const wide = need <= x.shape[axis]! ? x : p.pad(x, { start: x.shape.map(() => 0), shape: x.shape.with(axis, need) })
  const rows = p.reshape(take(wide, first, count * step), x.shape.toSpliced(axis, 1, count, step))
  const shape = rows.shape.with(axis + 1, 1)
  return p.reshape(p.slice(rows, { start: shape.map((_, d) => (d === axis + 1 ? row : 0)), shape }), x.shape.with(axis, count))
}

/**
 * The largest element of each window: x [n, ...places, channels] gives [n, ...windows, channels]. What is put around does not count. The
 * gradient goes to the first of equal elements, as in PyTorch; a NaN wins.
 *
 * Throws ShapeError for fewer than three axes, TypeError for options out of range.
 *
 * @example
 * maxPool(tensor([[[1], [3], [2], [0]]]), 2)  // [[[3], [2]]]
 * maxPool(zeros([1, 28, 28, 8]), 2)           // f32[1,14,14,8]
 */
export function maxPool(x: Tensor, window: Each, options: PoolOptions = {}): Tensor {
  const { parts } = placesOf("maxPool", x, window, options)
  const lowest = x.dtype === "i32" ? -(2 ** 31) : -Infinity
  const all = parts.map(({ x, inside }) => (inside ? where(inside, x, full(x.shape, lowest, { dtype: x.dtype })) : x))
  return all.reduce((best, y) => p.select(p.or(p.lt(best, y), p.not(p.eq(y, y))), y, best)) // only a NaN is not itself
}
/**
 * The mean of each window; see `maxPool`. With `countPadding` (PyTorch's default) what is put around counts as zeros.
 *
 * @example
 * avgPool(tensor([[[1], [3], [2]]]), 2, { stride: 1 })  // [[[2], [2.5]]]
 */
export function avgPool(x: Tensor, window: Each, { countPadding = true, ...options }: AveragePoolOptions = {}): Tensor {
  const { parts, size } = placesOf("avgPool", x, window, options)
  wantFloating("avgPool", x)
  const total = parts.map(part => part.x).reduce(add)
  const [first] = parts
  if (countPadding || !first!.inside) return div(total, size.reduce((n, k) => n * k, 1)) // biome-ignore format: one line
  return div(total, parts.map(part => p.cast(part.inside!, x.dtype)).reduce(add)) // biome-ignore format: one line
}
