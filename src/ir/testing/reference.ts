// Elementary functions to some 300 bits in BigInt fixed point: what the formulas are measured against.

/** `m * 2^e`, exactly. */
export interface Big {
  readonly m: bigint
  readonly e: number
}

/** Fraction bits. */
export const F = 320
export const ONE = 1n << BigInt(F)
/** Fraction bits of pi, so that the largest numbers can be reduced. */
const LONG = 1500
export const times = (a: bigint, b: bigint): bigint => (a * b) >> BigInt(F)
export const shift = (a: bigint, n: number): bigint => (n >= 0 ? a << BigInt(n) : a >> BigInt(-n))
export const fixed = (x: Big): bigint => shift(x.m, x.e + F)
export const unfixed = (m: bigint, e = 0): Big => ({ m, e: e - F })
const rounded = (a: bigint): bigint => (a + ONE / 2n) >> BigInt(F)

/** atanh(a) for |a| <= 1/3. */
function atanh(a: bigint): bigint {
  const square = times(a, a)
  let [sum, power] = [a, a]
  for (let k = 3n; power !== 0n && power !== -1n; k += 2n) {
    power = times(power, square)
    sum += power / k
  }
  return sum
}
/** atan(1/n) with `LONG` bits. */
function atanInverse(n: bigint): bigint {
  const first = (1n << BigInt(LONG)) / n
  let [sum, power] = [first, first]
  for (let k = 3n; power !== 0n; k += 2n) {
    power = -power / (n * n)
    sum += power / k
  }
  return sum
}
export const LN2 = 2n * atanh(ONE / 3n)
const LONG_PI = 4n * (4n * atanInverse(5n) - atanInverse(239n)) // Machin
export const PI = shift(LONG_PI, F - LONG)

const floats = new DataView(new ArrayBuffer(8))
/** A finite number as it stands in memory. */
export function big(x: number): Big {
  floats.setFloat64(0, x)
  const bits = floats.getBigUint64(0)
  const biased = Number((bits >> 52n) & 2047n)
  const m = (bits & ((1n << 52n) - 1n)) | (biased > 0 ? 1n << 52n : 0n)
  return { m: x < 0 ? -m : m, e: Math.max(biased, 1) - 1075 }
}
const length = (m: bigint): number => (m < 0n ? -m : m).toString(2).length

/** exp of a fixed-point number, as a fixed-point mantissa and an exponent. */
export function expFixed(x: bigint): Big {
  const k = rounded((x << BigInt(F)) / LN2)
  const r = (x - k * LN2) >> 8n
  let [sum, term] = [ONE, ONE]
  for (let n = 1n; term !== 0n && term !== -1n; n++) {
    term = times(term, r) / n
    sum += term
  }
  for (let i = 0; i < 8; i++) sum = times(sum, sum)
  return unfixed(sum, Number(k))
}
/** log of a positive number. */
export function logFixed(x: Big): bigint {
  const k = length(x.m) + x.e
  const m = shift(x.m, F - length(x.m)) // 1/2 <= m < 1
  const near = m < (ONE * 7n) / 10n ? m << 1n : m
  return (near === m ? BigInt(k) : BigInt(k - 1)) * LN2 + 2n * atanh(((near - ONE) << BigInt(F)) / (near + ONE))
}
export function sinFixed(x: bigint): bigint {
  const turns = rounded((x << BigInt(F)) / (2n * PI))
  const r = x - turns * 2n * PI
  let [sum, term] = [r, r]
  for (let n = 2n; term !== 0n && term !== -1n; n += 2n) {
    term = -times(times(term, r), r) / (n * (n + 1n))
    sum += term
  }
  return sum
}
/** x less whole turns. */
export const turned = (x: number): bigint => shift(shift(big(x).m, big(x).e + LONG) % (2n * LONG_PI), F - LONG)
/** e^x - 1. */
const expm1Fixed = (x: number): bigint => shift(expFixed(fixed(big(x))).m, expFixed(fixed(big(x))).e + F) - ONE

const one: Big = { m: 1n, e: 0 }
/** Where x^2 and 1 need no common fixed-point number: results are x, 1 or 1/2 to more than 100 bits. */
export const isTiny = (x: number): boolean => Math.abs(x) < 2 ** -100

/** The functions, for finite arguments; log and pow want x > 0, log1p wants x > -1. */
export const reference = {
  exp: (x: number): Big => (isTiny(x) ? one : expFixed(fixed(big(clamp(x))))),
  expm1: (x: number): Big => (isTiny(x) ? big(x) : unfixed(expm1Fixed(clamp(x)))),
  log: (x: number): Big => unfixed(logFixed(big(x))),
  log1p: (x: number): Big => (isTiny(x) ? big(x) : unfixed(logFixed(unfixed(ONE + fixed(big(x)))))),
  sin: (x: number): Big => (isTiny(x) ? big(x) : unfixed(sinFixed(turned(x)))),
  cos: (x: number): Big => (isTiny(x) ? one : unfixed(sinFixed(turned(x) + PI / 2n))),
  tanh(x: number): Big {
    if (isTiny(x)) return big(x)
    const m = expm1Fixed(-2 * Math.abs(clamp(x)))
    const t = (-m << BigInt(F)) / (2n * ONE + m)
    return unfixed(x < 0 ? -t : t)
  },
  pow(x: number, y: number): Big {
    const b = big(y)
    return expFixed(shift(logFixed(big(x)) * b.m, b.e))
  },
  sigmoid(x: number): Big {
    if (x < -80) return reference.exp(x) // to 2^-115 of it
    return unfixed((ONE << BigInt(F)) / (ONE + fixed(reference.exp(-x))))
  },
  softplus(x: number): Big {
    if (x > 1000) return big(x)
    const e = reference.exp(x)
    return x < -80 ? e : unfixed(logFixed(unfixed(ONE + fixed(e)))) // to 2^-115 of it
  },
} as const
/** Beyond 2000 results are 0 or infinite for both types. */
export const clamp = (x: number): number => Math.max(-2000, Math.min(2000, x))

/** |got - want| in units of the last place of a float with `digits` bits and smallest positive number 2^`least`. */
export function ulps(got: number, want: Big, digits = 53, least = -1074): number {
  const greatest = digits === 53 ? 1024 : 128
  if (!Number.isFinite(got)) return !Number.isNaN(got) && length(want.m) + want.e > greatest - 1 ? 0 : Infinity
  const g = big(got)
  if (length(want.m) + want.e < least - 64) return Math.abs(got) / 2 ** least
  const unit = Math.max(least, length(want.m) + want.e - digits)
  const low = Math.min(g.e, want.e, unit)
  const error = shift(g.m, g.e - low) - shift(want.m, want.e - low)
  return Math.abs(Number((error << 12n) / (1n << BigInt(unit - low)))) / 4096
}
