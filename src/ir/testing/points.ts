// Numbers to try formulas on, and how far off they are.
import { emitJs } from "../../compile/emit/js.ts"
import { randomNumbers } from "../../compile/emit/testing/random-kernels.ts"
import { runWasm } from "../../compile/emit/testing/run-wasm.ts"
import type { Kernel } from "../../compile/kernel.ts"
import { axisIndex, newAxis } from "../affine.ts"
import type { Expr, FloatType } from "../expr.ts"
import { type Big, ulps } from "./reference.ts"

export type Floats = Float32Array | Float64Array
export const arrays = { f32: Float32Array, f64: Float64Array } as const

/** out[i] = f(r0[i], ...). */
function elements(f: (...xs: Expr[]) => Expr, t: FloatType, arity: number, n: number): Kernel {
  const axis = newAxis(n)
  const at = axisIndex(axis)
  const args = Array.from({ length: arity }, (_, slot): Expr => ({ k: "load", t, slot, at }))
  return { axes: [axis], out: { t, at, mode: "store", bounds: [] }, body: f(...args), loads: args.map(() => t) }
}
export function runJs(f: (...xs: Expr[]) => Expr, t: FloatType, ...args: (readonly number[])[]): Floats {
  const kernel = elements(f, t, args.length, args[0]!.length)
  const out = new arrays[t](args[0]!.length)
  new Function(emitJs(kernel))()(out, ...args.map(a => arrays[t].from(a)))
  return out
}
export const runBoth = (f: (...xs: Expr[]) => Expr, t: FloatType, ...args: (readonly number[])[]): { js: Floats; wasm: Floats } => ({
  js: runJs(f, t, ...args),
  wasm: runWasm(
    elements(f, t, args.length, args[0]!.length),
    args.map(a => arrays[t].from(a)),
    new arrays[t](args[0]!.length),
  ) as Floats,
})

/** Points of the tables below are this many times as many: `ULP_POINTS=20 npx vitest run src/ir`. */
const more = Number(process.env.ULP_POINTS ?? 1)
export const random = randomNumbers(1)
const bits = new DataView(new ArrayBuffer(8))
export const f32OfBits = (pattern: number): number => {
  bits.setUint32(0, pattern)
  return bits.getFloat32(0)
}
/** A number with random bits: all magnitudes alike. */
export function anyFloat(t: FloatType): number {
  for (;;) {
    bits.setUint32(0, Math.floor(random() * 2 ** 32))
    bits.setUint32(4, Math.floor(random() * 2 ** 32))
    const x = t === "f32" ? bits.getFloat32(0) : bits.getFloat64(0)
    if (Number.isFinite(x)) return x
  }
}
export const times = (n: number, f: () => number): number[] => Array.from({ length: n * more }, f)
export const between = (lo: number, hi: number, n: number): number[] => times(n, () => lo + random() * (hi - lo))
export const anyFloats = (t: FloatType, n: number): number[] => times(n, () => anyFloat(t))
/** Magnitudes between 2^lo and 2^hi, of both signs. */
export const spread = (lo: number, hi: number, n: number): number[] =>
  times(n, () => (random() < 0.5 ? -1 : 1) * 2 ** (lo + random() * (hi - lo)))
export const near1 = (n: number): number[] => times(n, () => 1 + (random() - 0.5) * 2 ** (-52 * random()))

/** The largest error over `xs`, in units of the last place; printed, so that a log shows how much of the bound is used. */
export function worst(what: string, t: FloatType, got: Floats, want: (i: number) => Big, show: (i: number) => string): number {
  const errors = Array.from(got, (y, i) => (t === "f32" ? ulps(y, want(i), 24, -149) : ulps(y, want(i))))
  const most = errors.reduce((a, b) => Math.max(a, b), 0)
  console.log(`${what} ${t}: ${most.toFixed(3)} ulp at ${show(errors.indexOf(most))} (${errors.length} points)`)
  return most
}
export const fitted = (t: FloatType, xs: readonly number[]): number[] => (t === "f32" ? xs.map(Math.fround) : [...xs])
export function fromBits(t: FloatType, hex: string): number {
  bits.setBigUint64(0, BigInt(`0x${hex}`))
  return t === "f32" ? bits.getFloat32(4) : bits.getFloat64(0)
}
/** Consecutive numbers are 1 apart. */
export function order(t: FloatType, x: number): bigint {
  if (t === "f32") bits.setFloat32(0, x)
  else bits.setFloat64(0, x)
  const i = t === "f32" ? BigInt(bits.getInt32(0)) : bits.getBigInt64(0)
  return i < 0n ? -(i & (t === "f32" ? 0x7fffffffn : 0x7fffffffffffffffn)) : i
}
