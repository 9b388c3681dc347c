import { existsSync, readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import { type Expr, type FloatType, type FormulaOp, op } from "./expr.ts"
import { expm1, log1p, softplus } from "./formulas.ts"
import {
  anyFloat,
  anyFloats,
  between,
  type Floats,
  f32OfBits,
  fitted,
  fromBits,
  near1,
  order,
  random,
  runBoth,
  runJs,
  spread,
  times,
  worst,
} from "./testing/points.ts"
import { reference } from "./testing/reference.ts"

const beside = { expm1, log1p, softplus }
type Name = FormulaOp | keyof typeof beside
const made = (f: Name, xs: readonly Expr[]): Expr => (f in beside ? beside[f as keyof typeof beside](xs[0]!) : op(f as FormulaOp, ...xs))
const run = (f: Name, t: FloatType, ...args: (readonly number[])[]): Floats => runJs((...xs) => made(f, xs), t, ...args)

/**
 * Neighbours of the zeros of sin and cos, where the reduction cancels most. The last two are the worst of all: J.-M. Muller,
 * Elementary Functions, section 11.3.
 */
const quarterTurns = (): number[] => [
  ...times(2000, () => Math.floor(2 ** (30 * random())) * (Math.PI / 2)),
  ...Array.from({ length: 1500 }, (_, k) => k * (Math.PI / 2)),
  16367173 * 2 ** 72,
  6381956970095103 * 2 ** 797,
]
const trigonometric = (t: FloatType): number[] => [
  ...between(-1, 1, 1000),
  ...between(-100, 100, 1000),
  ...spread(8, 24, 1000), // where one reduction takes over from the other
  ...quarterTurns(),
  ...anyFloats(t, 2000),
]

interface Row {
  readonly f: Exclude<Name, "pow">
  /** Largest error allowed, in units of the last place. */
  readonly f32: number
  readonly f64: number
  readonly points: (t: FloatType) => number[]
}
const rows: readonly Row[] = [
  { f: "exp", f32: 0.92, f64: 0.92, points: () => [...between(-1, 1, 1000), ...between(-104, 89, 2000), ...between(-746, 710, 2000)] },
  { f: "expm1", f32: 1.15, f64: 1.15, points: () => [...spread(-60, 0, 1000), ...between(-2, 2, 2000), ...between(-50, 710, 2000)] },
  { f: "log", f32: 0.86, f64: 0.86, points: t => [...between(0.5, 2, 2000), ...near1(2000), ...anyFloats(t, 1000).map(Math.abs)] },
  { f: "log1p", f32: 0.86, f64: 0.86, points: t => [...between(-1, 2, 2000), ...spread(-60, 1, 1000), ...anyFloats(t, 2000)] },
  { f: "sin", f32: 0.82, f64: 0.82, points: trigonometric },
  { f: "cos", f32: 0.82, f64: 0.82, points: trigonometric },
  { f: "tanh", f32: 1.35, f64: 1.35, points: () => [...spread(-60, 0, 1000), ...between(-1, 1, 2000), ...between(-25, 25, 2000)] },
  { f: "sigmoid", f32: 1.7, f64: 1.7, points: () => [...between(-1, 1, 1000), ...between(-40, 40, 3000), ...between(-746, 40, 1000)] },
  { f: "softplus", f32: 1.7, f64: 1.7, points: () => [...between(-2, 2, 2000), ...between(-40, 40, 2000), ...between(-746, 746, 1000)] },
]

const isInside = (f: Row["f"], x: number): boolean => Number.isFinite(x) && (f === "log" ? x > 0 : f !== "log1p" || x > -1)

describe.each(["f32", "f64"] as const)("errors in units of the last place, %s", t => {
  test.each(rows)("$f", ({ f, points, [t]: bound }) => {
    const xs = fitted(t, [...points(t), ...anyFloats(t, 500)]).filter(x => isInside(f, x))
    const got = run(f, t, xs)
    const error = worst(
      f,
      t,
      got,
      i => reference[f](xs[i]!),
      i => String(xs[i]),
    )
    expect(error).toBeLessThanOrEqual(bound)
  })
  test("pow", () => {
    /** An exponent that leads anywhere between 0 and infinity. */
    const reaching = (x: number): [number, number] => [x, between(-750, 750, 1)[0]! / Math.log(x)]
    const pairs = [
      ...anyFloats(t, 3000).map(x => reaching(Math.abs(x))),
      ...near1(1000).map(reaching),
      ...between(0, 10, 2000).map((x): [number, number] => [x, between(-10, 10, 1)[0]!]),
    ]
      .map(pair => fitted(t, pair) as [number, number])
      .filter(([x, y]) => x > 0 && x !== 1 && Number.isFinite(x) && Number.isFinite(y) && y !== 0)
    const [xs, ys] = [pairs.map(p => p[0]), pairs.map(p => p[1])]
    const error = worst(
      "pow",
      t,
      run("pow", t, xs, ys),
      i => reference.pow(xs[i]!, ys[i]!),
      i => String(pairs[i]),
    )
    expect(error).toBeLessThanOrEqual(t === "f32" ? 0.51 : 0.92)
  })
})

// f32 as a whole: 65,551 patterns of bits, the neighbours of every power of 2 among them, against Math's f64, which has 29 bits more
const patterns = ((): number[] => {
  const all = Array.from({ length: 65551 }, (_, i) => f32OfBits((i * 65521) % 2 ** 32))
  for (let e = 0; e < 512; e++) for (let d = -2; d <= 2; d++) all.push(f32OfBits((e * 2 ** 23 + d + 2 ** 32) % 2 ** 32))
  return all
})()
const doubles: Record<Row["f"], (x: number) => number> = {
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  sin: Math.sin,
  cos: Math.cos,
  tanh: Math.tanh,
  sigmoid: x => 1 / (1 + Math.exp(-x)),
  softplus: x => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
}
test.each(rows)("$f of f32 numbers of all kinds", ({ f, f32: bound }) => {
  const got = run(f, "f32", patterns)
  let [most, at] = [0, 0]
  patterns.forEach((x, i) => {
    const want = doubles[f](x)
    const rounded = Math.fround(want)
    if (Object.is(got[i], rounded) || (rounded === 0 && got[i] === 0 && x < 0)) return
    const unit = 2 ** (Math.max(-126, Math.floor(Math.log2(Math.abs(want)))) - 23)
    const error = Math.abs(got[i]! - want) / unit
    if (!(error <= most)) [most, at] = [error, x] // NaN too
  })
  console.log(`${f} f32: ${most.toFixed(3)} ulp at ${at} (${patterns.length} patterns)`)
  expect(most).toBeLessThanOrEqual(bound)
})

test.each(rows.map(r => r.f))("%s: the same bits from WebAssembly and JavaScript", f => {
  for (const t of ["f32", "f64"] as const) {
    // vectors in which no lane, one lane or every lane has a large number, and a rest that fills none
    const xs = fitted(t, [
      ...between(-9, 9, 64),
      ...between(-9, 9, 64).map((x, i) => (i % 5 ? x : anyFloat(t))),
      ...anyFloats(t, 2000),
      NaN,
      -0,
      1,
    ])
    const { js, wasm } = runBoth(x => made(f, [x]), t, xs)
    expect(wasm).toEqual(js)
  }
})

const N = NaN
const I = Infinity
const least = { f32: 2 ** -149, f64: 2 ** -1074 }
const specials: Record<Row["f"], (tiny: number) => readonly (readonly [number, number])[]> = {
  exp: tiny => [
    [0, 1],
    [-0, 1],
    [I, I],
    [-I, 0],
    [N, N],
    [1e30, I],
    [-1e30, 0],
    [tiny, 1],
  ],
  expm1: tiny => [
    [0, 0],
    [-0, -0],
    [I, I],
    [-I, -1],
    [N, N],
    [1e30, I],
    [-1e30, -1],
    [tiny, tiny],
    [-tiny, -tiny],
  ],
  log: tiny => [
    [1, 0],
    [0, -I],
    [-0, -I],
    [I, I],
    [-I, N],
    [-1, N],
    [-tiny, N],
    [N, N],
  ],
  log1p: tiny => [
    [0, 0],
    [-0, -0],
    [-1, -I],
    [I, I],
    [-I, N],
    [-2, N],
    [N, N],
    [tiny, tiny],
    [-tiny, -tiny],
  ],
  sin: tiny => [
    [0, 0],
    [-0, -0],
    [I, N],
    [-I, N],
    [N, N],
    [tiny, tiny],
    [-tiny, -tiny],
  ],
  cos: tiny => [
    [0, 1],
    [-0, 1],
    [I, N],
    [-I, N],
    [N, N],
    [tiny, 1],
  ],
  tanh: tiny => [
    [0, 0],
    [-0, -0],
    [I, 1],
    [-I, -1],
    [N, N],
    [1e30, 1],
    [-1e30, -1],
    [tiny, tiny],
    [-tiny, -tiny],
  ],
  sigmoid: tiny => [
    [0, 0.5],
    [-0, 0.5],
    [I, 1],
    [-I, 0],
    [N, N],
    [1e30, 1],
    [-1e30, 0],
    [tiny, 0.5],
  ],
  softplus: () => [
    [I, I],
    [-I, 0],
    [N, N],
    [1e30, Math.fround(1e30)],
    [-1e30, 0],
  ],
}

describe.each(["f32", "f64"] as const)("special cases, %s", t => {
  test.each(Object.entries(specials))("%s", (f, table) => {
    const cases = table(least[t]).map(pair => (f === "softplus" ? fitted("f32", pair) : pair))
    const got = run(
      f as Row["f"],
      t,
      cases.map(c => c[0]!),
    )
    expect(Array.from(got)).toEqual(cases.map(c => c[1]))
  })
  test("pow as Math.pow, but 1 to any power is 1 as in C", () => {
    const values = [0, -0, 1, -1, 2, -2, 0.5, -0.5, 3, -3, 2.5, -2.5, I, -I, N, 1e20, -1e20, least[t], -least[t], 16777217, 2 ** 53 - 1]
    const pairs = fitted(t, values).flatMap(x => fitted(t, values).map(y => [x, y] as const))
    const got = run(
      "pow",
      t,
      pairs.map(p => p[0]),
      pairs.map(p => p[1]),
    )
    pairs.forEach(([x, y], i) => {
      const known = x === 1 || (x === -1 && Math.abs(y) === I) ? 1 : x ** y
      const want = t === "f32" ? Math.fround(known) : known
      const close = Number.isFinite(want) && want !== 0 ? Math.abs(got[i]! - want) <= Math.abs(want) * 2 ** -23 : Object.is(got[i], want)
      expect(close, `${x} ** ${y}: ${got[i]}, expected ${want}`).toBe(true)
    })
  })
  test("results stay within their bounds", () => {
    const xs = [...anyFloats(t, 3000), ...between(-25, 25, 3000)]
    for (const f of ["sin", "cos", "tanh"] as const) expect(run(f, t, xs).every(y => Math.abs(y) <= 1)).toBe(true)
    expect(run("exp", t, xs).every(y => y >= 0)).toBe(true)
    expect(run("sigmoid", t, xs).every(y => y >= 0 && y <= 1)).toBe(true)
    expect(run("expm1", t, xs).every(y => y >= -1)).toBe(true)
  })
})

const material = new URL("../../../shared/material/numpy/umath/", import.meta.url)
const covered = ["exp", "expm1", "log", "log1p", "sin", "cos", "tanh"] as const
describe.skipIf(!existsSync(material))(`NumPy's validation set (skipped where ${material.pathname} is absent)`, () => {
  test.each(covered)("%s", f => {
    const text = readFileSync(new URL(`umath-validation-set-${f}.csv`, material), "utf8")
    for (const t of ["f32", "f64"] as const) {
      const points = [...text.matchAll(/^np\.float(\d+),0x([0-9a-f]+),0x([0-9a-f]+),(\d+)/gm)]
        .filter(m => m[1] === t.slice(1))
        .map(m => ({ x: fromBits(t, m[2]!), y: fromBits(t, m[3]!), bound: Number(m[4]) }))
      const got = run(
        f,
        t,
        points.map(p => p.x),
      )
      points.forEach(({ x, y, bound }, i) => {
        const distance = Number.isNaN(y) ? (Number.isNaN(got[i]) ? 0n : 99n) : order(t, got[i]!) - order(t, y)
        expect(Math.abs(Number(distance)), `${f} ${t} of ${x}: ${got[i]}, expected ${y}`).toBeLessThanOrEqual(bound)
      })
      expect(points.length).toBeGreaterThan(100)
      console.log(`${f} ${t}: all ${points.length} points of NumPy`)
    }
  })
})
