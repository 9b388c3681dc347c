// Every public function on a table of calls: its value against NumPy's and PyTorch's (tests/golden/ops.jsonl, which
// scripts/golden-ops.py writes), and where it is smooth all modes of differentiation against each other.
import { readFileSync } from "node:fs"
import { afterAll, describe, expect, test } from "vitest"
import { derivativesHold, noErrors } from "../../tests/derivatives.ts"
import { enough } from "../../tests/long.ts"
import * as a from "../index.ts"
import * as losses from "../losses/index.ts"
import { activations } from "../nn/index.ts"
import * as arrange from "./arrange.ts"
import * as cumulative from "./cumulative.ts"
import * as diagonal from "./diagonal.ts"
import * as einsum from "./einsum.ts"
import * as indexing from "./indexing.ts"
import * as reduction from "./reduction.ts"
import * as scatter from "./scatter.ts"
import * as sort from "./sort.ts"
import * as special from "./special.ts"
import * as statistics from "./statistics.ts"

type Args = readonly unknown[]
type Fn = (...args: any[]) => any
interface Case {
  readonly f: string
  readonly name: string
  readonly args: Args
  readonly want?: unknown
  readonly throws?: string
  readonly smooth?: 1
}
const file = new URL("../../tests/golden/ops.jsonl", import.meta.url)
const cases = readFileSync(file, "utf8").trim().split("\n").map(line => JSON.parse(line) as Case) // biome-ignore format: short

const NUMBERS: Record<string, number> = { NaN: Number.NaN, Infinity: Infinity, "-Infinity": -Infinity, "-0": -0 }
const arrays = { f32: Float32Array, f64: Float64Array, i32: Int32Array, bool: Uint8Array } as const
/** What the file means: tensors, numbers that JSON does not have, and these in arrays and options. */
function decode(x: any): any {
  if (typeof x === "string") return NUMBERS[x] ?? x
  if (Array.isArray(x)) return x.map(decode)
  if (typeof x !== "object" || x === null) return x
  if (!("v" in x)) return Object.fromEntries(Object.entries(x).map(([k, v]) => [k, decode(v)]))
  const values = arrays[x.t as keyof typeof arrays].from(x.v.map(decode))
  return a.reshape(a.cast(a.tensor(values as any), x.t), x.s)
}
const isTensor = (x: unknown): x is a.Tensor => x instanceof a.Tensor
const isFloat = (x: unknown): x is a.Tensor => isTensor(x) && (x.dtype === "f64" || x.dtype === "f32")

/** The call as a function of its floating-point tensors (those in arrays too) with floating-point results alone. */
function smoothPart(f: Fn, args: Args): { g: Fn; xs: a.Tensor[] } {
  const xs = args.flat().filter(isFloat)
  const g: Fn = (...ts: a.Tensor[]) => {
    const rest = [...ts]
    const put = (x: unknown): unknown => (isFloat(x) ? rest.shift() : Array.isArray(x) && x.some(isTensor) ? x.map(put) : x)
    const y = f(...args.map(put))
    return Array.isArray(y) ? y.filter(isFloat) : y
  }
  return { g, xs }
}

/** Largest relative differences allowed; f32 is rounded once more. */
const CLOSE = { f64: 2e-15, f32: 2e-7 }
/** References that are no better than these themselves. */
const LOOSE = /^(cumprod|prod|norm|std|log|softplus|xlogy|pow|erf|sigmoid|exp|sinh|cosh|atanh|tan)/
/** Sums may cancel: differences are those of their terms. */
const SUMS = /^(einsum|tensordot|cumsum|variance|quantile|median|mean|sum|trace|scatter|segment|linspace|kron|matmul|losses)/

function agree(got: unknown, wanted: unknown, what: string, f: string): void {
  if (Array.isArray(wanted)) {
    expect(Array.isArray(got) && got.length, what).toBe(wanted.length)
    wanted.forEach((w, i) => {
      agree((got as unknown[])[i], w, what, f)
    })
    return
  }
  const [y, w] = [got as a.Tensor, wanted as a.Tensor]
  expect(`${y.dtype} ${y.shape}`, what).toBe(`${w.dtype} ${w.shape}`)
  const tolerance = isFloat(w) ? (LOOSE.test(f) ? 10 : 1) * CLOSE[w.dtype as "f32"] : 0
  const floor = SUMS.test(f) ? 10 : 1e-300
  const [p, q] = [y.values(), w.values()]
  q.forEach((v, i) => {
    const x = p[i]!
    const near = x === v || (Number.isNaN(x) && Number.isNaN(v)) || Math.abs(x - v) <= tolerance * Math.max(Math.abs(v), floor)
    expect(near, `${what}[${i}]: ${x}, wanted ${v}`).toBe(true)
  })
}

const names = [...new Set(cases.map(c => c.f))]
test("every function of these files has lines in the table", () => {
  const files = [arrange, cumulative, diagonal, einsum, indexing, reduction, scatter, sort, special, statistics]
  const functions = files.flatMap(f => Object.keys(f)).filter(name => name in a)
  expect(functions.filter(name => !names.includes(name))).toEqual([])
})

const errors = noErrors()
const functions: Readonly<Record<string, any>> = { ...a, activations, losses }
/** `losses.huber` is that of adjoint/losses. */
const named = (name: string): Fn => name.split(".").reduce((x, key) => x[key], functions) as unknown as Fn

const ENOUGH = 12
const counts = { values: 0, errors: 0, derivatives: 0, smooth: 0 }
describe.each(names)("%s", name => {
  const own = cases.filter(c => c.f === name)
  const f = named(name)
  test(`${own.length} calls`, () => {
    expect(own.length).toBeGreaterThanOrEqual(ENOUGH)
    for (const c of own) {
      const args = decode(c.args) as Args
      if (c.throws) {
        expect(() => f(...args), c.name).toThrow((a as any)[c.throws] ?? TypeError)
        counts.errors++
      } else {
        agree(f(...args), decode(c.want), c.name, name)
        counts.values++
      }
    }
  })
  const all = own.filter(c => c.smooth)
  if (all.length === 0) return
  const smooth = enough(all, 6)
  counts.smooth += all.length
  test(`derivatives of ${smooth.length} calls of ${all.length}`, () => {
    for (const [i, c] of smooth.entries()) {
      const { g, xs } = smoothPart(f, decode(c.args) as Args)
      try {
        derivativesHold(g, xs, errors, i)
      } catch (e) {
        throw new Error(`${name}, ${c.name}: ${(e as Error).message}`)
      }
      counts.derivatives++
    }
  })
})
afterAll(() => {
  console.log(errors)
  console.log(
    `${names.length} functions: ${counts.values} values, ${counts.errors} errors, derivatives of ${counts.derivatives} of ${counts.smooth}`,
  )
})
