// The functions that stand beside the table of formulas: powers.ts, trigonometry.ts, hyperbolic.ts, erf.ts.
import { existsSync, readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import { erf, erfc, erfinv } from "./erf.ts"
import type { Expr, FloatType } from "./expr.ts"
import { acosh, asinh, atanh, cosh, sinh } from "./hyperbolic.ts"
import { cbrt, exp2, hypot, log2, log10, logaddexp, remainder } from "./powers.ts"
import {
  anyFloat,
  anyFloats,
  between,
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
import { ulps } from "./testing/reference.ts"
import { binaryReference, unaryReference } from "./testing/reference-more.ts"
import { acos, asin, atan, atan2, tan } from "./trigonometry.ts"

type Name = keyof typeof unaryReference
const functions: Record<Name, (x: Expr) => Expr> = {
  ...{ exp2, log2, log10, cbrt, tan, asin, acos, atan, sinh, cosh, asinh, acosh, atanh, erf, erfc, erfinv },
}

interface Row {
  readonly f: Name
  /** Largest error allowed, in units of the last place. */
  readonly f32: number
  readonly f64: number
  readonly points: (t: FloatType) => number[]
  readonly inside?: (x: number) => boolean
}
const all = (t: FloatType): number[] => [
  ...between(-2, 2, 1000),
  ...between(-30, 30, 1000),
  ...spread(-60, 60, 1000),
  ...anyFloats(t, 1000),
]
const upTo1 = (t: FloatType): number[] => [
  ...between(-1, 1, 2000),
  ...spread(-60, 0, 1000),
  ...times(1500, () => 1 - 2 ** (-53 * random())),
  ...times(500, () => 2 ** (-53 * random()) - 1),
  ...anyFloats(t, 500),
]
const within = (x: number): boolean => Math.abs(x) < 1
const positive = (x: number): boolean => x > 0
const quarters = (t: FloatType): number[] => [
  ...all(t),
  ...times(1000, () => Math.floor(2 ** (30 * random())) * (Math.PI / 4)),
  16367173 * 2 ** 72,
  6381956970095103 * 2 ** 797,
]
const powersOf = (b: number): number[] => Array.from({ length: 300 }, (_, i) => b ** (i - 150))
// biome-ignore format: a table
const rows: readonly Row[] = [
  { f: "exp2", f32: 1.1, f64: 1.1, points: t => [...between(-1, 1, 1000), ...between(-1080, 1030, 2000), ...between(-150, 128, 2000),
    ...anyFloats(t, 200)] },
  { f: "log2", f32: 0.51, f64: 0.51, points: t => [...between(0.5, 2, 2000), ...near1(1000), ...powersOf(2), ...anyFloats(t, 1000)],
    inside: positive },
  { f: "log10", f32: 0.51, f64: 0.51, points: t => [...between(0.5, 2, 2000), ...near1(1000), ...powersOf(10), ...anyFloats(t, 1000)],
    inside: positive },
  { f: "cbrt", f32: 0.51, f64: 0.7, points: t => [...between(-8, 8, 2000), ...spread(-1074, 1023, 2000), ...anyFloats(t, 1000)] },
  { f: "tan", f32: 0.51, f64: 1, points: quarters },
  { f: "asin", f32: 0.51, f64: 1, points: upTo1, inside: within },
  { f: "acos", f32: 0.51, f64: 1, points: upTo1, inside: within },
  { f: "atan", f32: 0.51, f64: 1, points: all },
  { f: "sinh", f32: 0.51, f64: 1, points: t => [...all(t), ...between(-711, 711, 1000)] },
  { f: "cosh", f32: 0.51, f64: 1, points: t => [...all(t), ...between(-711, 711, 1000)] },
  { f: "asinh", f32: 0.51, f64: 1.5, points: all },
  { f: "acosh", f32: 0.51, f64: 1, points: t => [...all(t).map(Math.abs), ...times(2000, () => 1 + 2 ** (-52 * random()))],
    inside: x => x >= 1 },
  { f: "atanh", f32: 0.51, f64: 1, points: upTo1, inside: within },
  { f: "erf", f32: 0.51, f64: 1.5, points: t => [...all(t), ...between(-6, 6, 1000)] },
  { f: "erfc", f32: 0.51, f64: 3.5, points: t => [...all(t), ...between(-6, 28, 2000), ...between(26, 28, 300)] },
  { f: "erfinv", f32: 0.51, f64: 3, points: upTo1, inside: within },
]

describe.each(["f32", "f64"] as const)("errors in units of the last place, %s", t => {
  test.each(rows)("$f", ({ f, points, inside = () => true, [t]: bound }) => {
    const xs = fitted(t, points(t)).filter(x => Number.isFinite(x) && x !== 0 && inside(x))
    const error = worst(
      f,
      t,
      runJs(functions[f], t, xs),
      i => unaryReference[f](xs[i]!),
      i => String(xs[i]),
    )
    expect(error).toBeLessThanOrEqual(bound)
  })
  const scaled = (): [number, number] => {
    const x = anyFloat(t)
    return [x, x * 2 ** (80 * (random() - 0.5))]
  }
  const pairs = (): [number, number][] => [
    ...Array.from({ length: 2000 }, (): [number, number] => [between(-9, 9, 1)[0]!, between(-9, 9, 1)[0]!]),
    ...Array.from({ length: 2000 }, scaled),
    ...Array.from({ length: 1000 }, (): [number, number] => [anyFloat(t), anyFloat(t)]),
  ]
  test.each([
    ["hypot", hypot, binaryReference.hypot, { f32: 0.51, f64: 1.2 }],
    ["atan2", atan2, binaryReference.atan2, { f32: 0.51, f64: 1 }],
    ["remainder", remainder, binaryReference.remainder, { f32: 0.51, f64: 0.51 }],
  ] as const)("%s", (name, f, want, bound) => {
    const points = pairs()
      .map(p => fitted(t, p) as [number, number])
      .filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y) && y !== 0)
    const [xs, ys] = [points.map(p => p[0]), points.map(p => p[1])]
    const error = worst(
      name,
      t,
      runJs(f as (...xs: Expr[]) => Expr, t, xs, ys),
      i => want(xs[i]!, ys[i]!),
      i => String(points[i]),
    )
    expect(error).toBeLessThanOrEqual(bound[t])
  })
})

test.each(["f32", "f64"] as const)("logaddexp, %s, in units of the larger term where terms cancel", t => {
  const far = Array.from({ length: 5000 }, (): [number, number] => [80 * random() - 40, 80 * random() - 40])
  const near0 = Array.from({ length: 2000 }, (): [number, number] => [Math.log(random()), -random()])
  const points = [...far, ...near0].map(p => fitted(t, p) as [number, number])
  const got = runJs(logaddexp as (...xs: Expr[]) => Expr, t, points.map(p => p[0]), points.map(p => p[1])) // biome-ignore format: short
  let most = 0
  points.forEach(([x, y], i) => {
    const want = binaryReference.logaddexp(x, y)
    const error = t === "f32" ? ulps(got[i]!, want, 24, -149) : ulps(got[i]!, want)
    const places = Math.log2(Math.abs(got[i]!)) - Math.log2(Math.max(Math.abs(x), Math.abs(y), Math.abs(got[i]!)))
    most = Math.max(most, error * 2 ** Math.floor(Math.min(0, places)))
  })
  console.log(`logaddexp ${t}: ${most.toFixed(3)} units (${points.length} points)`)
  expect(most).toBeLessThanOrEqual(2)
})

const N = NaN
const I = Infinity
const QUARTER = Math.PI / 2
/** Those of C (C11, annex F.10): f(x) = y where the function stands in C, else by the same rules. `tiny` is the least positive number. */
// biome-ignore format: a table
const specials: Record<Name, (tiny: number) => readonly (readonly [number, number])[]> = {
  exp2: tiny => [[0, 1], [-0, 1], [I, I], [-I, 0], [N, N], [1e30, I], [-1e30, 0], [tiny, 1], [3, 8], [-1, 0.5]],
  log2: () => [[1, 0], [0, -I], [-0, -I], [I, I], [-I, N], [-1, N], [N, N], [1024, 10], [2 ** -126, -126]],
  log10: () => [[1, 0], [0, -I], [-0, -I], [I, I], [-I, N], [-1, N], [N, N], [1000, 3], [1e10, 10], [100000, 5]],
  cbrt: () => [[0, 0], [-0, -0], [I, I], [-I, -I], [N, N], [27, 3], [-1000, -10], [2 ** -126, 2 ** -42]],
  tan: tiny => [[0, 0], [-0, -0], [I, N], [-I, N], [N, N], [tiny, tiny], [-tiny, -tiny]],
  asin: tiny => [[0, 0], [-0, -0], [1, QUARTER], [-1, -QUARTER], [1.5, N], [-I, N], [N, N], [tiny, tiny], [-tiny, -tiny]],
  acos: tiny => [[1, 0], [-1, Math.PI], [0, QUARTER], [-0, QUARTER], [1.5, N], [-I, N], [N, N], [tiny, QUARTER]],
  atan: tiny => [[0, 0], [-0, -0], [I, QUARTER], [-I, -QUARTER], [N, N], [1e30, QUARTER], [tiny, tiny], [-tiny, -tiny]],
  sinh: tiny => [[0, 0], [-0, -0], [I, I], [-I, -I], [N, N], [1e30, I], [-1e30, -I], [tiny, tiny], [-tiny, -tiny]],
  cosh: tiny => [[0, 1], [-0, 1], [I, I], [-I, I], [N, N], [1e30, I], [tiny, 1]],
  asinh: tiny => [[0, 0], [-0, -0], [I, I], [-I, -I], [N, N], [tiny, tiny], [-tiny, -tiny]],
  acosh: () => [[1, 0], [I, I], [-I, N], [0.5, N], [-5, N], [-1e30, N], [N, N]],
  atanh: tiny => [[0, 0], [-0, -0], [1, I], [-1, -I], [1.5, N], [I, N], [-I, N], [-1e30, N], [N, N], [tiny, tiny], [-tiny, -tiny]],
  erf: tiny => [[0, 0], [-0, -0], [I, 1], [-I, -1], [N, N], [1e30, 1], [-1e30, -1], [tiny, tiny]],
  erfc: tiny => [[0, 1], [-0, 1], [I, 0], [-I, 2], [N, N], [1e30, 0], [-1e30, 2], [tiny, 1]],
  erfinv: tiny => [[0, 0], [-0, -0], [1, I], [-1, -I], [1.5, N], [-I, N], [N, N], [tiny, tiny]],
}
// biome-ignore format: a table
const pairSpecials: readonly [string, (...xs: Expr[]) => Expr, readonly (readonly [number, number, number])[]][] = [
  ["hypot", hypot, [[0, 0, 0], [-0, -0, 0], [3, 4, 5], [I, N, I], [N, -I, I], [N, 1, N], [-I, 1, I], [1e30, 0, 1e30]]],
  ["logaddexp", logaddexp, [[-I, -I, -I], [I, I, I], [-I, 3, 3], [I, -I, I], [N, 1, N], [1, N, N], [I, N, N], [1e30, 0, 1e30]]],
  ["atan2", atan2, [[0, 0, 0], [-0, 0, -0], [0, -0, Math.PI], [-0, -0, -Math.PI], [0, -1, Math.PI], [-0, -1, -Math.PI], [0, 1, 0],
    [-0, 1, -0], [1, 0, QUARTER], [-1, -0, -QUARTER], [1, I, 0], [-1, I, -0], [1, -I, Math.PI], [-1, -I, -Math.PI], [I, 1, QUARTER],
    [-I, 1, -QUARTER], [I, I, QUARTER / 2], [-I, I, -QUARTER / 2], [I, -I, 3 * (QUARTER / 2)], [-I, -I, -3 * (QUARTER / 2)], [N, 1, N],
    [1, N, N], [I, N, N]]],
  ["remainder", remainder, [[5, 3, 2], [-5, 3, 1], [5, -3, -1], [-5, -3, -2], [6, 3, 0], [-6, 3, 0], [6, -3, -0], [0, 3, 0], [-0, 3, 0],
    [1, 0, N], [I, 1, N], [1, I, 1], [-1, I, I], [1, -I, -I], [N, 1, N], [1, N, N], [5.5, 0.25, 0], [1, 3 * 2 ** -149, 2 ** -148]]],
] // biome-ignore format: tables
describe.each(["f32", "f64"] as const)("special cases, %s", t => {
  const least = t === "f32" ? 2 ** -149 : 2 ** -1074
  test.each(Object.entries(specials))("%s", (f, table) => {
    const cases = table(least)
    const got = runJs(
      functions[f as Name],
      t,
      cases.map(c => c[0]!),
    )
    expect(Array.from(got)).toEqual(
      fitted(
        t,
        cases.map(c => c[1]!),
      ),
    )
  })
  test.each(pairSpecials)("%s", (_name, f, cases) => {
    const got = runJs(
      f,
      t,
      cases.map(c => c[0]),
      cases.map(c => c[1]),
    )
    expect(Array.from(got)).toEqual(
      fitted(
        t,
        cases.map(c => c[2]),
      ),
    )
  })
})

const both = [...Object.entries(functions), ...Object.entries({ hypot, atan2, remainder, logaddexp })] as [
  string,
  (...xs: Expr[]) => Expr,
][]
test.each(both)("%s: the same bits from WebAssembly and JavaScript", (_name, f) => {
  for (const t of ["f32", "f64"] as const) {
    const numbers = (): number[] =>
      fitted(t, [...between(-9, 9, 64), ...between(-1, 1, 64).map((x, i) => (i % 5 ? x : anyFloat(t))), ...anyFloats(t, 500), N, -0, 1])
    const { js, wasm } = f.length > 1 || pairSpecials.some(p => p[1] === f) ? runBoth(f, t, numbers(), numbers()) : runBoth(f, t, numbers())
    expect(wasm).toEqual(js)
  }
})

const material = new URL("../../../shared/material/numpy/umath/", import.meta.url)
const covered: Record<string, Name> = {
  ...{ exp2: "exp2", log2: "log2", log10: "log10", cbrt: "cbrt", tan: "tan", arcsin: "asin", arccos: "acos", arctan: "atan" },
  ...{ sinh: "sinh", cosh: "cosh", arcsinh: "asinh", arccosh: "acosh", arctanh: "atanh" },
}
describe.skipIf(!existsSync(material))(`NumPy's validation set (skipped where ${material.pathname} is absent)`, () => {
  test.each(Object.entries(covered))("%s", (file, f) => {
    const text = readFileSync(new URL(`umath-validation-set-${file}.csv`, material), "utf8")
    for (const t of ["f32", "f64"] as const) {
      const points = [...text.matchAll(/^np\.float(\d+),0x([0-9a-f]+),0x([0-9a-f]+),(\d+)/gm)]
        .filter(m => m[1] === t.slice(1))
        .map(m => ({ x: fromBits(t, m[2]!), y: fromBits(t, m[3]!), bound: Number(m[4]) }))
      const got = runJs(
        functions[f],
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
