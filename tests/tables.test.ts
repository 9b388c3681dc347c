// Every public function is in a table of derivatives with at least twelve cases, or it is said here why it has none.
import { readFileSync } from "node:fs"
import { afterAll, describe, expect, test } from "vitest"
import * as a from "../src/index.ts"
import * as losses from "../src/losses/index.ts"
import * as nn from "../src/nn/index.ts"
import { type Call, Derivatives, derivativesHold, noErrors } from "./derivatives.ts"
import { enough } from "./long.ts"
import { control } from "./tables/control.ts"
import { layers } from "./tables/layers.ts"

const ENOUGH = 12
const lines = (file: string): string => readFileSync(new URL(`golden/${file}`, import.meta.url), "utf8")

/** Calls in src/ops/table.test.ts, and how many of them are differentiated. */
const golden = new Map<string, { calls: number; smooth: number }>()
for (const line of lines("ops.jsonl").trim().split("\n")) {
  const { f, smooth } = JSON.parse(line) as { f: string; smooth?: 1 }
  const { calls, smooth: n } = golden.get(f) ?? { calls: 0, smooth: 0 }
  golden.set(f, { calls: calls + 1, smooth: n + (smooth ? 1 : 0) })
}

interface Numbers {
  readonly shape: number[]
  readonly values: number[]
}
interface Convolution {
  readonly name: string
  readonly op: string
  readonly options: any
  readonly x: Numbers
  readonly w?: Numbers
}
const convolutions = (JSON.parse(lines("conv.json")) as { cases: Convolution[] }).cases
const byOp = new Map<string, Convolution[]>()
for (const c of convolutions) byOp.set(c.op, [...(byOp.get(c.op) ?? []), c])
const operations: Readonly<Record<string, (...args: any[]) => a.Tensor>> = {
  ...{ conv1d: a.conv1d, conv2d: a.conv2d, convTranspose1d: a.convTranspose1d, convTranspose2d: a.convTranspose2d },
  ...{ maxPool: a.maxPool, avgPool: a.avgPool },
}

const because = (reason: string, ...names: string[]): Record<string, string> => Object.fromEntries(names.map(n => [n, reason]))
/** What has no derivative of its own, or none that is not another function's. */
const without: Readonly<Record<string, string>> = {
  ...because("gives bool", "less", "lessEqual", "greater", "greaterEqual", "equal", "notEqual", "isNaN", "isFinite", "isInf", "any", "all"),
  ...because("of bool and integers", "logicalAnd", "logicalOr", "logicalXor", "logicalNot", "oneHot"),
  ...because("gives places or counts, i32", "argmax", "argmin", "argsort", "searchsorted", "countNonzero"),
  ...because("declared to have derivative 0", "stopGradient"),
  ...because("makes tensors from plain numbers", "arange", "eye", "full", "linspace", "ones", "zeros", "tensor"),
  ...because("takes shape and dtype only", "onesLike", "zerosLike"),
  ...because("differentiates; tests/transforms.test.ts", "hessian", "hvp", "jacfwd", "jacrev", "jvp", "linearize", "valueAndGrad", "vjp", "checkGrads"),
  ...because("sets up engines", "configure"),
  ...because("of keys, which are integers", ...Object.keys(a.random).map(name => `random.${name}`)),
  ...because("makes first parameters from keys", ...Object.keys(nn.initializers).map(name => `nn.initializers.${name}`)),
  ...because("makes layers from plain data", "nn.fromConfig"),
  ...because("describes a model", "nn.summary", "nn.countParameters"),
  ...because("a class", "DonatedTensorError", "DtypeError", "GradientError", "LeakedTracerError", "ShapeError", "Tensor", "TracedReadError", "WorkerLostError"),
} // biome-ignore format: a list

const isFunction = (x: unknown): x is (...args: any[]) => unknown => typeof x === "function"
/** Functions of a module, those of its name spaces as `random.normal`. */
const functionsOf = (module: object, prefix = ""): string[] =>
  Object.entries(module).flatMap(([name, x]) =>
    isFunction(x) ? [prefix + name] : typeof x === "object" && x !== null ? functionsOf(x, `${prefix}${name}.`) : [],
  )
const exported = [
  ...functionsOf(a),
  ...functionsOf(losses, "losses."),
  ...functionsOf(nn, "nn.").map(name => name.replace("nn.activations.", "activations.")),
]
/** Functions of nn that are no layers. */
const functions: Readonly<Record<string, readonly { f: Call; xs: readonly a.Tensor[] }[]>> = {
  "nn.dotProductAttention": attention(),
  "nn.rotate": [[2, 2], [1, 2], [3, 4], [0, 2], [2, 3, 2], [1, 1, 2], [2, 2, 4], [4, 2], [1, 6], [2, 0, 4], [5, 2], [3, 2, 2]].map(shape => ({ f: x => nn.rotate(x!), xs: [some(shape)] })), // biome-ignore format: a list
}
function some(shape: readonly number[], size = 1): a.Tensor {
  return a.mul(a.random.normal(a.random.fold(a.random.key(5), ++drawn), shape, { dtype: "f64" }), size)
}
var drawn: number
function attention(): { f: Call; xs: readonly a.Tensor[] }[] {
  drawn = 0
  const shapes = [[2, 3, 2, 2], [1, 1, 1, 1], [3, 2, 1, 2], [2, 2, 2, 1], [1, 3, 2, 2], [0, 2, 2, 2]] as const // biome-ignore format: a list
  return shapes.flatMap(([q, k, width, out]) =>
    [{}, { causal: q === k }].map(options => ({
      f: ((x, y, z) => nn.dotProductAttention(x!, y!, z!, ...(attend(options, q, k) as []))) as Call,
      xs: [some([q, width]), some([k, width]), some([k, out])],
    })),
  )
}
/** A mask that leaves every query a key, in the form that the function takes. */
function attend({ causal }: { causal?: boolean }, q: number, k: number): unknown[] {
  if (!causal) return []
  return [
    {
      mask: a.tensor(Uint8Array.from({ length: q * k }, (_, i) => (i % k <= Math.floor(i / k) ? 1 : 0)) as never, {
        shape: [q, k],
        dtype: "bool",
      }),
    },
  ]
}

test("every public function is in one place", () => {
  const places = (name: string): string[] => [
    ...(golden.get(name)?.smooth ? ["golden"] : []),
    ...(byOp.has(name) ? ["convolution"] : []),
    ...(name in control ? ["control"] : []),
    ...(name.startsWith("nn.") && name.slice(3) in layers ? ["layer"] : []),
    ...(name in functions ? ["function"] : []),
    ...(name in without ? ["without"] : []),
  ]
  expect(exported.filter(name => places(name).length !== 1).map(name => `${name}: ${places(name)}`)).toEqual([])
  const known = [
    ...Object.keys(control),
    ...Object.keys(functions),
    ...Object.keys(without),
    ...Object.keys(layers).map(kind => `nn.${kind}`),
  ]
  expect(known.filter(name => !exported.includes(name))).toEqual([])
  expect([...golden.keys()].filter(name => !exported.includes(name))).toEqual([])
})
test("with at least twelve cases", () => {
  const counts: [string, number][] = [
    ...[...golden].map(([name, { calls }]): [string, number] => [name, calls]),
    ...[...byOp].map(([op, cases]): [string, number] => [op, cases.length]),
    ...[...Object.entries(layers), ...Object.entries(functions)].map(([name, cases]): [string, number] => [name, cases.length]),
    ...Object.entries(control).map(([name, { args }]): [string, number] => [name, args.length]),
  ]
  expect(counts.filter(([, n]) => n < ENOUGH)).toEqual([])
})

const counts = { functions: 0, cases: 0 }
const errors = noErrors()
afterAll(() => console.log(`${counts.functions} functions: ${counts.cases} derivatives`, errors))
const told = (what: string, check: () => void): void => {
  try {
    check()
    counts.cases++
  } catch (e) {
    throw new Error(`${what}: ${(e as Error).message}`)
  }
}

/** Larger ones are compared with their golden values alone. */
const LARGEST = 24
describe("convolutions and pooling", () => {
  const from = ({ shape, values }: Numbers): a.Tensor => a.tensor(values, { shape, dtype: "f64" })
  const small = ({ x, w }: Convolution): boolean => x.values.length + (w?.values.length ?? 0) <= LARGEST
  test.each([...byOp].map(([op, cases]) => [op, cases.filter(small)] as const))("%s", (op, cases) => {
    expect(cases.length).toBeGreaterThanOrEqual(ENOUGH)
    counts.functions++
    for (const [i, { name, options, x, w }] of enough(cases, 6).entries()) {
      const { window, ...rest } = options
      const xs = [from(x), ...(w ? [from(w)] : [])]
      told(name, () => derivativesHold((x, w) => operations[op]!(x, w ?? window, rest), xs, errors, i))
    }
  })
})

describe("layers", () => {
  test.each(Object.keys(layers))("%s", kind => {
    counts.functions++
    // norms are strongly curved where units are nearly equal: smaller steps
    const made = new Map<string, Derivatives>()
    for (const [i, { f, xs, form }] of enough(layers[kind]!, 6).entries())
      told(`${kind}, case ${i}`, () => {
        let check = made.get(form)
        if (!check) made.set(form, (check = new Derivatives(f, xs, errors, 3e-4)))
        check.hold(xs)
      })
  })
})

describe("functions of adjoint/nn", () => {
  test.each(Object.keys(functions))("%s", name => {
    counts.functions++
    for (const [i, { f, xs }] of enough(functions[name]!, 6).entries()) told(`${name}, case ${i}`, () => derivativesHold(f, xs, errors, i))
  })
})

describe("control", () => {
  const near = (got: a.Tensor, wanted: a.Tensor, tolerance: number): void => {
    expect(got.shape).toEqual(wanted.shape)
    const w = wanted.values()
    got.values().forEach((v, i) => expect(Math.abs(v - w[i]!)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(w[i]!))))
  }
  test.each(Object.keys(control))("%s", name => {
    const { f, plain, args, forwardOnly } = control[name]!
    counts.functions++
    for (const [i, xs] of enough(args, 6).entries())
      told(`${name}, case ${i}`, () => {
        near(f(...xs), plain(...xs), 1e-12)
        const ts = xs.map(x => a.add(a.mul(x, 0.3), 0.4))
        near(a.jvp(f, [...xs], ts)[1], a.jvp(plain, [...xs], ts)[1], 1e-11)
        if (!forwardOnly) derivativesHold(f, xs, errors, i)
      })
  })
})
