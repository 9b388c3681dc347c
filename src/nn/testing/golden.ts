// PyTorch's own values: scripts/golden/nn.py makes the file.
import { readFileSync } from "node:fs"
import { expect } from "vitest"
import { jit, mul, type Nested, sum, type Tensor, tensor, valueAndGrad } from "../../js.ts"

type Arrays = Readonly<Record<string, Nested>>
interface Case {
  readonly args: Arrays
  /** Names of the arguments that are whole numbers. */
  readonly i32: readonly string[]
  readonly y: Nested
  /** Of sum(y c), see `cotangent`. */
  readonly grads: Arrays
}
const { cases } = JSON.parse(readFileSync(new URL("../../../tests/golden/nn.json", import.meta.url), "utf8")) as {
  cases: Readonly<Record<string, Case>>
}
export const goldenNames = Object.keys(cases)

export type Args = Readonly<Record<string, Tensor>>
const flat = (x: unknown): number[] => (Array.isArray(x) ? x.flatMap(flat) : [x as number])
const cotangent = (y: Tensor): Tensor =>
  tensor(
    Array.from({ length: y.size }, (_, i) => (((7 * i) % 11) - 5) / 4),
    { shape: y.shape, dtype: "f64" },
  )

/** The largest error in values and gradients, as a share of numbers larger than 1. */
export const worst = { error: 0, at: "" }
function compare(what: string, got: Tensor | undefined, wanted: Nested): void {
  const [a, b] = [[...(got?.values() ?? [])], flat(wanted)]
  expect(a.length, what).toBe(b.length)
  const error = Math.max(...b.map((x, i) => Math.abs(x - a[i]!) / Math.max(1, Math.abs(x))))
  if (error > worst.error) Object.assign(worst, { error, at: what })
  expect(error, what).toBeLessThan(1e-11)
}

/** Holds outputs and all gradients of `f` in f64 against the file, run as it is and compiled. */
export function checkGolden(name: string, f: (args: Args) => Tensor): void {
  const { args, i32, y, grads } = cases[name]!
  const all = Object.fromEntries(Object.entries(args).map(([k, v]) => [k, tensor(v, { dtype: i32.includes(k) ? "i32" : "f64" })]))
  const variable = Object.fromEntries(Object.keys(grads).map(k => [k, all[k]!]))
  const whole = valueAndGrad(
    (some: Args): [Tensor, Tensor] => {
      const y = f({ ...all, ...some })
      return [sum(mul(y, cotangent(y))), y]
    },
    { hasAux: true },
  )
  for (const [form, run] of Object.entries({ "as it is": whole, compiled: jit(whole) })) {
    const [[, output], gradients] = run(variable) as [[Tensor, Tensor], Args]
    compare(`${name}, ${form}: y`, output, y)
    for (const [k, g] of Object.entries(grads)) compare(`${name}, ${form}: gradient of ${k}`, gradients[k], g)
  }
}
