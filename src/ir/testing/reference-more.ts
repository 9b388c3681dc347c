// What powers.ts, trigonometry.ts, hyperbolic.ts and erf.ts are measured against, to some 200 bits.
import {
  type Big,
  big,
  clamp,
  expFixed,
  F,
  fixed,
  isTiny,
  LN2,
  logFixed,
  ONE,
  PI,
  shift,
  sinFixed,
  times,
  turned,
  unfixed,
} from "./reference.ts"

const over = (a: bigint, b: bigint): bigint => (a << BigInt(F)) / b
function isqrt(n: bigint): bigint {
  if (n < 2n) return n
  let x = 1n << BigInt((n.toString(2).length >> 1) + 1)
  for (;;) {
    const y = (x + n / x) >> 1n
    if (y >= x) return x
    x = y
  }
}
function icbrt(n: bigint): bigint {
  let x = 1n << BigInt(Math.floor(n.toString(2).length / 3) + 1)
  for (;;) {
    const y = (2n * x + n / (x * x)) / 3n
    if (y >= x) return x
    x = y
  }
}
const sqrt = (a: bigint): bigint => isqrt(a << BigInt(F))
const abs = (a: bigint): bigint => (a < 0n ? -a : a)
const signed = (x: number, size: bigint): Big => unfixed(x < 0 ? -size : size)

/** atan of v >= 0, after three halvings of the angle. */
function atanFixed(v: bigint): bigint {
  if (v > ONE) return PI / 2n - atanFixed(over(ONE, v))
  for (let i = 0; i < 3; i++) v = over(v, ONE + sqrt(ONE + times(v, v)))
  const square = times(v, v)
  let [sum, power] = [v, v]
  for (let k = 3n; power !== 0n && power !== -1n; k += 2n) {
    power = -times(power, square)
    sum += power / k
  }
  return 8n * sum
}
const expOf = (x: bigint): bigint => {
  const { m, e } = expFixed(x)
  return shift(m, e + F)
}
const ROOT_PI = sqrt(PI)
/** 2/sqrt(pi) e^(-x^2) (x + 2 x^3/3 + 4 x^5/15 + ...) for x >= 0. */
function erfFixed(x: bigint): bigint {
  const square = times(x, x)
  let [sum, term] = [x, x]
  for (let n = 3n; term !== 0n; n += 2n) {
    term = (2n * times(term, square)) / n
    sum += term
  }
  return over(2n * times(sum, expOf(-square)), ROOT_PI)
}
/** e^(-x^2) / (x sqrt(pi)) / (1 + 1/(2 x^2) / (1 + 2/(2 x^2) / (1 + ...))) */
function erfcFar(x: bigint): Big {
  const square = times(x, x)
  let f = ONE
  for (let n = 700n; n > 0n; n--) f = ONE + over(n * ONE, times(2n * square, f))
  const { m, e } = expFixed(-square)
  return { m: over(over(over(m, x), ROOT_PI), f), e }
}
const LN10 = logFixed({ m: 10n, e: 0 })
/** p/q to F bits. */
const ratio = (p: Big, q: Big): Big => ({ m: (p.m << 2200n) / q.m, e: p.e - q.e - 2200 })

/** For finite arguments where the functions are. */
export const unaryReference = {
  exp2: (x: number): Big => expFixed(times(fixed(big(clamp(x))), LN2)),
  log2: (x: number): Big => unfixed(over(logFixed(big(x)), LN2)),
  log10: (x: number): Big => unfixed(over(logFixed(big(x)), LN10)),
  cbrt(x: number): Big {
    const { m, e } = big(x)
    const places = 600 + ((((e - 600) % 3) + 3) % 3)
    const y = icbrt(abs(m) << BigInt(places))
    return { m: x < 0 ? -y : y, e: (e - places) / 3 }
  },
  tan: (x: number): Big => (isTiny(x) ? big(x) : unfixed(over(sinFixed(turned(x)), sinFixed(turned(x) + PI / 2n)))),
  asin(x: number): Big {
    const v = fixed(big(Math.abs(x)))
    return isTiny(x) ? big(x) : signed(x, v === ONE ? PI / 2n : atanFixed(over(v, sqrt(ONE - times(v, v)))))
  },
  acos(x: number): Big {
    const v = fixed(big(x))
    return unfixed(v === -ONE ? PI : 2n * atanFixed(sqrt(over(ONE - v, ONE + v))))
  },
  atan: (x: number): Big => (isTiny(x) ? big(x) : signed(x, atanFixed(fixed(big(Math.abs(x)))))),
  sinh(x: number): Big {
    const e = expOf(fixed(big(Math.abs(clamp(x)))))
    return isTiny(x) ? big(x) : signed(x, (e - over(ONE, e)) / 2n)
  },
  cosh(x: number): Big {
    const e = expOf(fixed(big(Math.abs(clamp(x)))))
    return unfixed((e + over(ONE, e)) / 2n)
  },
  asinh(x: number): Big {
    const v = fixed(big(Math.abs(x)))
    return isTiny(x) ? big(x) : signed(x, logFixed(unfixed(v + sqrt(times(v, v) + ONE))))
  },
  acosh(x: number): Big {
    const v = fixed(big(x))
    return unfixed(logFixed(unfixed(v + sqrt(times(v, v) - ONE))))
  },
  atanh(x: number): Big {
    const v = fixed(big(Math.abs(x)))
    return isTiny(x) ? big(x) : signed(x, logFixed(unfixed(over(ONE + v, ONE - v))) / 2n)
  },
  erf(x: number): Big {
    if (isTiny(x)) return { m: (big(x).m << BigInt(2 * F + 1)) / ROOT_PI, e: big(x).e - F }
    return signed(x, Math.abs(x) > 10 ? ONE : erfFixed(fixed(big(Math.abs(x)))))
  },
  erfc(x: number): Big {
    if (x > 3) return erfcFar(fixed(big(Math.min(x, 40))))
    return unfixed(x < -15 ? 2n * ONE : ONE - fixed(unaryReference.erf(x)))
  },
  erfinv(x: number): Big {
    const a = Math.abs(x)
    if (isTiny(x)) return { m: big(x).m * ROOT_PI, e: big(x).e - F - 1 }
    // S. Winitzki's approximation, then I. Newton's steps
    const l = Number(logFixed(unfixed(ONE - times(fixed(big(a)), fixed(big(a))))) >> BigInt(F - 60)) / 2 ** 60
    const b = 2 / (Math.PI * 0.147) + l / 2
    let y = fixed(big(Math.sqrt(-l / 0.147 / (b + Math.sqrt(b * b - l / 0.147)))))
    for (let i = 0; i < 7; i++) {
      const off = erfFixed(y) - fixed(big(a))
      y -= times(times(off, ROOT_PI / 2n), expOf(times(y, y)))
    }
    return signed(x, y)
  },
} as const

export const binaryReference = {
  hypot(x: number, y: number): Big {
    const [a, b] = [big(x), big(y)]
    const e = Math.min(a.e, b.e) - 300
    const [u, v] = [shift(a.m, a.e - e), shift(b.m, b.e - e)]
    return { m: isqrt(u * u + v * v), e }
  },
  atan2(y: number, x: number): Big {
    const [p, q] = [big(Math.abs(y)), big(Math.abs(x))]
    if (q.m === 0n) return signed(y, PI / 2n)
    const r = ratio(p, q)
    if (x > 0 && shift(r.m, r.e + F) < 1n << 200n) return { m: y < 0 ? -r.m : r.m, e: r.e } // r^3 is below
    const angle = atanFixed(fixed(r))
    return signed(y, x < 0 ? PI - angle : angle)
  },
  remainder(x: number, y: number): Big {
    const [a, b] = [big(x), big(y)]
    const e = Math.min(a.e, b.e)
    const [u, v] = [shift(a.m, a.e - e), shift(b.m, b.e - e)]
    const r = u % v
    return { m: r !== 0n && r < 0n !== v < 0n ? r + v : r, e }
  },
  logaddexp(x: number, y: number): Big {
    const [hi, lo] = [Math.max(x, y), Math.min(x, y)]
    if (hi - lo > 2000) return big(hi)
    const d = fixed(big(lo)) - fixed(big(hi))
    return unfixed(fixed(big(hi)) + logFixed(unfixed(ONE + expOf(d))))
  },
} as const
