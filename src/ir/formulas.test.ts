import { existsSync, readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import { emitJs } from "../compile/emit/js.ts"
import { randomNumbers } from "../compile/emit/testing/random-kernels.ts"
import { axisIndex, newAxis } from "./affine.ts"
import { constant, type Expr, type FloatType, type FormulaOp, op } from "./expr.ts"
import { type Big, reference, ulps } from "./testing/reference.ts"

type Floats = Float32Array | Float64Array

/** A function of scalars as one of arrays, compiled to JavaScript. */
function compiled(t: FloatType, arity: number, f: (...args: Expr[]) => Expr): (...args: number[][]) => Floats {
  return (...args) => {
    const axis = newAxis(args[0]!.length)
    const at = axisIndex(axis)
    const body = f(...Array.from({ length: arity }, (_, slot): Expr => ({ k: "load", t, slot, at })))
    const source = emitJs({ axes: [axis], out: { t, at, mode: "store", bounds: [] }, body, loads: args.map(() => t) })
    const array = t === "f32" ? Float32Array : Float64Array
    const out = new array(axis.n)
    new Function(source)()(out, ...args.map(a => array.from(a)))
    return out
  }
}
const run = (name: FormulaOp, t: FloatType, ...args: number[][]): Floats => compiled(t, args.length, (...xs) => op(name, ...xs))(...args)

const random = randomNumbers(1)
const bits = new DataView(new ArrayBuffer(8))
/** A number with random bits: all magnitudes alike. */
function anyFloat(t: FloatType): number {
  for (;;) {
    bits.setUint32(0, Math.floor(random() * 2 ** 32))
    bits.setUint32(4, Math.floor(random() * 2 ** 32))
    const x = t === "f32" ? bits.getFloat32(0) : bits.getFloat64(0)
    if (Number.isFinite(x)) return x
  }
}
const between = (lo: number, hi: number, n: number): number[] => Array.from({ length: n }, () => lo + random() * (hi - lo))
const anyFloats = (t: FloatType, n: number): number[] => Array.from({ length: n }, () => anyFloat(t))

/** Neighbours of the zeros of sin and cos, where the reduction cancels most. */
const quarterTurns = (t: FloatType, limit: number): number[] =>
  Array.from({ length: 1500 }, () => {
    const x = Math.floor((limit / (Math.PI / 2)) ** random()) * (Math.PI / 2)
    return t === "f32" ? Math.fround(x) : x
  })
const near1 = (n: number): number[] => Array.from({ length: n }, () => 1 + (random() - 0.5) * 2 ** (-52 * random()))

interface Row {
  readonly f: "exp" | "log" | "sin" | "cos" | "tanh"
  /** Largest error allowed, in units of the last place. */
  readonly f32: number
  readonly f64: number
  points(t: FloatType): number[]
}
const REDUCED = 1e8
const trigonometric = (t: FloatType): number[] => [
  ...between(-1, 1, 1500),
  ...between(-100, 100, 1500),
  ...between(-REDUCED, REDUCED, 1500),
  ...quarterTurns(t, REDUCED),
  ...anyFloats(t, 4000).filter(x => Math.abs(x) < REDUCED),
]
const rows: readonly Row[] = [
  {
    f: "exp",
    f32: 1,
    f64: 1,
    points: t => [...between(-1, 1, 2000), ...between(-40, 40, 3000), ...between(-746, 710, 3000), ...anyFloats(t, 1000)],
  },
  {
    f: "log",
    f32: 1,
    f64: 1,
    points: t => [...between(0.5, 2, 3000), ...near1(2000), ...between(0, 1000, 1000), ...anyFloats(t, 3000).map(Math.abs)],
  },
  { f: "sin", f32: 1, f64: 1, points: trigonometric },
  { f: "cos", f32: 1, f64: 1, points: trigonometric },
  { f: "tanh", f32: 1.5, f64: 1.5, points: t => [...between(-1, 1, 3000), ...between(-25, 25, 3000), ...anyFloats(t, 1000)] },
]

/** The largest error over `xs`, in units of the last place; printed, so that a log shows how much of the bound is used. */
function worst(what: string, t: FloatType, got: Floats, want: (i: number) => Big, show: (i: number) => string): number {
  const errors = Array.from(got, (y, i) => (t === "f32" ? ulps(y, want(i), 24, -149) : ulps(y, want(i))))
  const most = errors.reduce((a, b) => Math.max(a, b), 0)
  console.log(`${what} ${t}: ${most.toFixed(3)} ulp at ${show(errors.indexOf(most))} (${errors.length} points)`)
  return most
}
const fitted = (t: FloatType, xs: readonly number[]): number[] => (t === "f32" ? xs.map(Math.fround) : [...xs])

describe.each(["f32", "f64"] as const)("errors in units of the last place, %s", t => {
  test.each(rows)("$f", ({ f, points, [t]: bound }) => {
    const measured = fitted(t, points(t)).filter(x => f === "log" || (Math.abs(x) > 2 ** -100 && Math.abs(x) < 2 ** 40))
    const error = worst(
      f,
      t,
      run(f, t, measured),
      i => reference[f](measured[i]!),
      i => String(measured[i]),
    )
    expect(error).toBeLessThanOrEqual(bound)
  })
  test("pow", () => {
    /** An exponent that leads anywhere between 0 and infinity. */
    const reaching = (x: number): [number, number] => [x, between(-750, 750, 1)[0]! / Math.log(x)]
    const pairs = [
      ...anyFloats(t, 4000).map(x => reaching(Math.abs(x))),
      ...near1(2000).map(reaching),
      ...between(0, 10, 3000).map((x): [number, number] => [x, between(-10, 10, 1)[0]!]),
    ]
      .map(pair => fitted(t, pair) as [number, number])
      .filter(([x, y]) => x > 0 && x !== 1 && Number.isFinite(y) && y !== 0)
    const [xs, ys] = [pairs.map(p => p[0]), pairs.map(p => p[1])]
    const error = worst(
      "pow",
      t,
      run("pow", t, xs, ys),
      i => reference.pow(xs[i]!, ys[i]!),
      i => String(pairs[i]),
    )
    expect(error).toBeLessThanOrEqual(t === "f32" ? 0.51 : 1)
  })
  test("1 / (1 + exp(-x))", () => {
    const xs = fitted(t, [...between(-30, 30, 3000), ...between(-1, 1, 3000)])
    const one = constant(t, 1)
    const sigmoid = compiled(t, 1, x => op("div", one, op("add", one, op("exp", op("neg", x!)))))
    const error = worst(
      "sigmoid",
      t,
      sigmoid(xs),
      i => reference.sigmoid(xs[i]!),
      i => String(xs[i]),
    )
    expect(error).toBeLessThanOrEqual(2)
  })
})

const N = NaN
const I = Infinity
const specials: Record<Row["f"], readonly (readonly [number, number])[]> = {
  exp: [
    [0, 1],
    [-0, 1],
    [I, I],
    [-I, 0],
    [N, N],
    [1e30, I],
    [-1e30, 0],
    [1e-45, 1],
  ],
  log: [
    [1, 0],
    [0, -I],
    [-0, -I],
    [I, I],
    [-I, N],
    [-1, N],
    [-1e-40, N],
    [N, N],
  ],
  sin: [
    [0, 0],
    [-0, -0],
    [I, N],
    [-I, N],
    [N, N],
    [2 ** -149, 2 ** -149],
  ],
  cos: [
    [0, 1],
    [-0, 1],
    [I, N],
    [-I, N],
    [N, N],
    [2 ** -149, 1],
  ],
  tanh: [
    [0, 0],
    [-0, -0],
    [I, 1],
    [-I, -1],
    [N, N],
    [1e30, 1],
    [-1e30, -1],
    [2 ** -149, 2 ** -149],
    [-(2 ** -149), -(2 ** -149)],
  ],
}

describe.each(["f32", "f64"] as const)("special cases, %s", t => {
  test.each(Object.entries(specials))("%s", (f, cases) => {
    const got = run(
      f as Row["f"],
      t,
      cases.map(c => c[0]),
    )
    expect(Array.from(got)).toEqual(cases.map(c => c[1]))
  })
  test("pow as Math.pow, but 1 to any power is 1 as in C", () => {
    const values = [0, -0, 1, -1, 2, -2, 0.5, -0.5, 3, -3, 2.5, -2.5, I, -I, N, 1e20, -1e20, 2 ** -149, -(2 ** -149), 16777217, 2 ** 53 - 1]
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
  test("results stay within their bounds, and beyond the reduction sine and cosine too", () => {
    const xs = anyFloats(t, 5000)
    for (const f of ["sin", "cos", "tanh"] as const) expect(run(f, t, xs).every(y => Math.abs(y) <= 1)).toBe(true)
    expect(run("exp", t, xs).every(y => y >= 0)).toBe(true)
  })
})

const material = new URL("../../../shared/material/numpy/umath/", import.meta.url)
describe.skipIf(!existsSync(material))(`NumPy's validation set (skipped where ${material.pathname} is absent)`, () => {
  test.each(rows.map(r => r.f))("%s", f => {
    const text = readFileSync(new URL(`umath-validation-set-${f}.csv`, material), "utf8")
    for (const t of ["f32", "f64"] as const) {
      const cells = [...text.matchAll(/^np\.float(\d+),0x([0-9a-f]+),0x([0-9a-f]+),(\d+)/gm)].filter(m => m[1] === t.slice(1))
      const points = cells
        .map(m => ({ x: fromBits(t, m[2]!), y: fromBits(t, m[3]!), bound: Number(m[4]) }))
        .filter(({ x }) => !((f === "sin" || f === "cos") && Math.abs(x) > REDUCED && Number.isFinite(x)))
      const got = run(
        f,
        t,
        points.map(p => p.x),
      )
      points.forEach(({ x, y, bound }, i) => {
        const distance = Number.isNaN(y) ? (Number.isNaN(got[i]) ? 0n : 99n) : order(t, got[i]!) - order(t, y)
        expect(Math.abs(Number(distance)), `${f} ${t} of ${x}: ${got[i]}, expected ${y}`).toBeLessThanOrEqual(bound)
      })
      console.log(`${f} ${t}: ${points.length} of ${cells.length} points of NumPy`)
    }
  })
})
function fromBits(t: FloatType, hex: string): number {
  bits.setBigUint64(0, BigInt(`0x${hex}`))
  return t === "f32" ? bits.getFloat32(4) : bits.getFloat64(0)
}
/** Consecutive numbers are 1 apart. */
function order(t: FloatType, x: number): bigint {
  if (t === "f32") bits.setFloat32(0, x)
  else bits.setFloat64(0, x)
  const i = t === "f32" ? BigInt(bits.getInt32(0)) : bits.getBigInt64(0)
  return i < 0n ? -(i & (t === "f32" ? 0x7fffffffn : 0x7fffffffffffffffn)) : i
}
