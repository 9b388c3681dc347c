// Random numbers as functions of a key: the same key gives the same numbers, on every engine.
import { type Shape, show, size, wantShape } from "../core/aval.ts"
import { tensor } from "../core/concrete.ts"
import { isFloating } from "../core/dtype.ts"
import { Tensor } from "../core/tensor.ts"
import * as p from "../primitives/index.ts"
import { axisOf } from "./align.ts"
import { add, less, mul, sub } from "./arithmetic.ts"
import type { CreateOptions } from "./create.ts"
import { take } from "./shape.ts"
import { argsort } from "./sort.ts"

/** A key from a seed: i32[2]. The seed is a whole number in [0, 2^53). @example random.key(1)  // i32[2] */
export function key(seed: number): Tensor {
  if (!Number.isSafeInteger(seed) || seed < 0) throw new TypeError(`random.key: a seed is a whole number >= 0; got ${seed}`)
  return tensor(Int32Array.of(Math.floor(seed / 2 ** 32), seed | 0))
}
function wantKey(name: string, k: unknown, several = false): asserts k is Tensor {
  if (!(k instanceof Tensor) || k.dtype !== "i32" || k.shape.at(-1) !== 2 || (k.ndim > 1 && !several))
    throw new TypeError(
      `random.${name}: the first argument is a key, i32[2], such as random.key(1); got ${k instanceof Tensor ? show(k.aval) : typeof k}` +
        (k instanceof Tensor && k.ndim > 1 ? ". Take one of several with at, or map over them with vmap" : ""),
    )
}
/** Throws as the function that was called, not as the one that it is made of. */
function wantDraw(name: string, k: unknown, shape: unknown, dtype: unknown = "f32"): asserts k is Tensor {
  wantKey(name, k)
  wantShape(`random.${name}`, shape)
  if (dtype !== "f32" && dtype !== "f64") throw new TypeError(`random.${name}: dtype must be "f32" or "f64"; got ${JSON.stringify(dtype)}`)
}
/**
 * A new key from a key and a number (or an i32 scalar): for step, layer or example `data`.
 *
 * @example
 * random.fold(random.key(1), 7)  // i32[2]
 */
export function fold(k: Tensor, data: number | Tensor): Tensor {
  wantKey("fold", k, true)
  if (!(data instanceof Tensor ? data.dtype === "i32" : Number.isInteger(data)))
    throw new TypeError(
      `random.fold: the second argument is a whole number or an i32 tensor; got ${data instanceof Tensor ? show(data.aval) : data}`,
    )
  return p.foldIn(k, typeof data === "number" ? p.full([], data, "i32") : data)
}
/** `n` new keys: i32[n, 2], to be taken apart by destructuring or `at`. @example const [a, b] = random.split(random.key(1)) */
export function split(k: Tensor, n = 2): Tensor {
  wantKey("split", k)
  if (!Number.isInteger(n) || n < 0) throw new TypeError(`random.split: the number of keys is a whole number >= 0; got ${n}`)
  return p.foldIn(p.broadcast(k, [n, 2], [0]), p.iota(n))
}

/** 32 random bits for each element: i32 `shape`. @example random.bits(random.key(1), [4])  // i32[4] */
export function bits(k: Tensor, shape: Shape): Tensor {
  wantKey("bits", k)
  wantShape("random.bits", shape)
  return p.randomBits(k, shape)
}
const shifted = (x: Tensor, by: number): Tensor => p.shiftRight(x, p.fullLike(x.aval, by))

export interface UniformOptions extends CreateOptions {
  /** Default: 0. */
  readonly low?: number
  /** Default: 1. */
  readonly high?: number
}
/** Uniform in [low, high): 23 random bits in f32, 52 in f64. @example random.uniform(random.key(1), [3])  // [0.4386, 0.5338, 0.4459] */
export function uniform(k: Tensor, shape: Shape, { dtype = "f32", low = 0, high = 1 }: UniformOptions = {}): Tensor {
  wantDraw("uniform", k, shape, dtype)
  if (!(typeof low === "number" && typeof high === "number" && low <= high))
    throw new TypeError(`random.uniform: low and high are numbers, low <= high; got ${low} and ${high}`)
  const top = (x: Tensor): Tensor => p.cast(shifted(x, 9), dtype)
  let unit = mul(top(bits(k, shape)), 2 ** -23)
  if (dtype === "f64") unit = add(unit, mul(p.cast(shifted(bits(fold(k, size(shape)), shape), 3), dtype), 2 ** -52))
  return low === 0 && high === 1 ? unit : add(mul(unit, high - low), low)
}
/**
 * Normal with mean 0 and standard deviation 1, by the method of Box and Muller (1958).
 *
 * @example
 * random.normal(random.key(1), [3])  // [-1.281, -0.6974, 0.3157]
 */
export function normal(k: Tensor, shape: Shape, { dtype = "f32" }: CreateOptions = {}): Tensor {
  wantDraw("normal", k, shape, dtype)
  const [a, b] = [fold(k, 0), fold(k, 1)]
  const radius = p.sqrt(mul(p.log(sub(1, uniform(a, shape, { dtype }))), -2))
  return mul(radius, p.cos(mul(uniform(b, shape, { dtype }), 2 * Math.PI)))
}
/** True with probability `probability`: bool `shape`. @example random.bernoulli(random.key(1), 0.5, [4])  // bool[4] */
export function bernoulli(k: Tensor, probability: number, shape: Shape): Tensor {
  wantDraw("bernoulli", k, shape)
  if (!((probability as unknown) instanceof Tensor || (probability >= 0 && probability <= 1)))
    throw new TypeError(`random.bernoulli: the probability is a number from 0 to 1; got ${JSON.stringify(probability)}`)
  return less(uniform(k, shape), probability)
}
/**
 * Of the standard Gumbel distribution: -log(-log u) for u uniform in (0, 1). The largest of logits to which such numbers are added is
 * distributed as `softmax(logits)` says. Gumbel, Statistical theory of extreme values (1954).
 *
 * @example
 * random.gumbel(random.key(1), [3])  // [0.1935, 0.4655, 0.2137]
 */
export function gumbel(k: Tensor, shape: Shape, { dtype = "f32" }: CreateOptions = {}): Tensor {
  wantDraw("gumbel", k, shape, dtype)
  // between two of the numbers that `uniform` gives, so neither 0 nor 1
  const u = add(uniform(k, shape, { dtype }), dtype === "f64" ? 2 ** -53 : 2 ** -24)
  return p.neg(p.log(p.neg(p.log(u))))
}
/**
 * Classes with the probabilities `softmax(logits)` along `axis` (default: the last), one for each entry of the other axes: i32.
 * Throws TypeError for logits that are no floating-point tensor.
 *
 * @example
 * random.categorical(random.key(1), tensor([[0, 5], [5, 0]]))  // [1, 0]
 */
export function categorical(k: Tensor, logits: Tensor, { axis = -1 }: { readonly axis?: number } = {}): Tensor {
  wantKey("categorical", k)
  if (!(logits instanceof Tensor) || !isFloating(logits.dtype))
    throw new TypeError(
      `random.categorical: logits must be a floating-point tensor; got ${logits instanceof Tensor ? show(logits.aval) : typeof logits}`,
    )
  return p.argmax(add(logits, gumbel(k, logits.shape, { dtype: logits.dtype })), axisOf("random.categorical", logits, axis))
}
/**
 * 0, 1, ... n - 1 in random order, i32 [n]; or the entries of a tensor along axis 0.
 *
 * @example
 * random.permutation(random.key(1), 5)  // [1, 4, 3, 0, 2]
 */
export function permutation(k: Tensor, x: number | Tensor): Tensor {
  wantKey("permutation", k)
  if (x instanceof Tensor ? x.ndim === 0 : !(Number.isInteger(x) && x >= 0))
    throw new TypeError(
      `random.permutation: wants a whole number >= 0 or a tensor with an axis; got ${x instanceof Tensor ? "a scalar" : JSON.stringify(x)}. Make an array a tensor with tensor(...)`,
    )
  const order = argsort(bits(k, [x instanceof Tensor ? x.shape[0]! : x]))
  return x instanceof Tensor ? take(x, order) : order
}
