// The formulas of src/ir/formulas.ts in f32, through jit: largest errors over every `step`-th pattern of bits, operations, times.
// After `npm run build`: node bench/ulp.mjs [step = 64]; one or two minutes, over an hour for all numbers (step = 1).
import { expm1, jit, log1p, sigmoid, softplus, tensor } from "adjoint"
import { expm1 as expm1Of, formulas, log1p as log1pOf, softplus as softplusOf } from "../dist/ir/formulas.js"

const beside = { expm1: expm1Of, log1p: log1pOf, softplus: softplusOf }

const step = Number(process.argv[2] ?? 64)
const functions = {
  exp: [x => x.exp(), Math.exp],
  expm1: [expm1, Math.expm1],
  log: [x => x.log(), Math.log],
  log1p: [log1p, Math.log1p],
  sigmoid: [sigmoid, x => 1 / (1 + Math.exp(-x))],
  softplus: [softplus, x => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))],
  sin: [x => x.sin(), Math.sin],
  cos: [x => x.cos(), Math.cos],
  tanh: [x => x.tanh(), Math.tanh],
  pow: [x => x.pow(1.37), x => x ** Math.fround(1.37)],
}

/** Distance of an f32 number from the right value, in units of the last place of the latter. */
function ulps(got, want) {
  if (Object.is(got, Math.fround(want))) return 0
  if (Number.isNaN(got) || Number.isNaN(want)) return Infinity
  const exponent = Math.min(127, Math.max(-126, Math.floor(Math.log2(Math.abs(want)))))
  const finite = Number.isFinite(got) ? got : Math.sign(got) * 2 ** 128
  return Math.abs(finite - want) / 2 ** (exponent - 23)
}

/** The largest error, and where. */
function worst([f, reference]) {
  const program = jit(x => f(x))
  const xs = new Float32Array(2 ** 18)
  const patterns = new Uint32Array(xs.buffer)
  let [most, at] = [0, 0]
  for (let first = 0; first < 2 ** 32; first += step * xs.length) {
    for (let i = 0; i < xs.length; i++) patterns[i] = first + i * step
    const got = program(tensor(xs.slice())).values()
    for (let i = 0; i < xs.length; i++) {
      const error = ulps(got[i], reference(xs[i]))
      if (error > most) [most, at] = [error, xs[i]]
    }
  }
  return `${most.toFixed(3)} at ${at}`
}

/** Different machine operations of a formula: those of every call, and those behind its guard. */
function operations(name, t) {
  const seen = new Set()
  const guards = []
  const visit = e => {
    if (seen.has(e)) return
    seen.add(e)
    if (e.k === "guard") {
      guards.push(e.body)
      for (const [atom] of e.bounds.flatMap(b => b.i.terms)) visit(atom.expr)
    } else if (e.k === "op") for (const a of e.args) visit(a)
  }
  const count = () => [...seen].filter(e => e.k === "op").length
  const args = [0, 1].map(slot => ({ k: "load", t, slot, at: { constant: 0, terms: [] } }))
  visit(name in beside ? beside[name](args[0]) : formulas[name](t, ...args.slice(0, name === "pow" ? 2 : 1)))
  const always = count()
  for (const g of guards) visit(g)
  return count() > always ? `${always} + ${count() - always}` : `${always}`
}

/** Nanoseconds an element for numbers up to `limit`, the least of 60 sums of 100,000 results, less those of a sum of products. */
function time(f, t, limit, positive) {
  const n = 100_000
  const x = tensor(
    Array.from({ length: n }, (_, i) => ((positive ? i + 1 : 2 * i - n) / n) * limit),
    { dtype: t },
  )
  const least = g => {
    const program = jit(x => g(x).sum())
    let best = Infinity
    for (let i = 0; i < 60; i++) {
      const start = performance.now()
      program(x).item()
      best = Math.min(best, performance.now() - start)
    }
    return (best / n) * 1e6
  }
  return (least(f) - least(x => x.mul(1.5))).toFixed(2)
}

for (const [name, row] of Object.entries(functions)) {
  const positive = name === "log" || name === "log1p" || name === "pow"
  for (const t of ["f32", "f64"]) {
    const far = operations(name, t).includes("+") ? `, ${time(row[0], t, 1e7, positive)} ns up to 1e7` : ""
    console.log(`${name} ${t}: ${operations(name, t)} operations, ${time(row[0], t, 10, positive)} ns up to 10${far}`)
  }
}
for (const [name, row] of Object.entries(functions)) console.log(`${name} f32: ${worst(row)}`)
