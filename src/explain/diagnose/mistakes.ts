// The mistakes that people make in a backward pass, each as a change to the right one.
import { type Aval, size } from "../../core/aval.ts"
import { fromArray } from "../../core/concrete.ts"
import { allocate } from "../../core/dtype.ts"
import type { Tensor } from "../../core/tensor.ts"
import * as ops from "../../ops/index.ts"
import { type Backward, type Edits, type Going, like, type Numbers, numbers, type Sent } from "../reverse.ts"
import type { Cell, Step } from "../tape.ts"
import type { Mistake } from "./diagnosis.ts"
import { ACTIVATIONS, isRows, type Region, regionsOf, type Softmax, softmax, softmaxesOf } from "./regions.ts"

/** A mistake at a place. Places go by number: the same mistake can be made in a run with other numbers. */
export interface Hypothesis {
  readonly mistake: Mistake
  /** Simple ones are tried first. */
  readonly rank: number
  /** The operation it is about; none where the whole gradient is meant. */
  readonly step?: number
  /** The value whose cotangent is wrong by it. */
  readonly cell: number
  readonly edits: Edits
}

/** A cotangent that is multiplied by a number which is found from the result. */
export interface Scaling {
  readonly kind: "all" | "cell" | "path" | "leaf"
  readonly step?: number
  readonly cell: number
  /** The backward pass without it; what is missing then is multiplied. */
  readonly without: Edits
  readonly times: (c: number) => Edits
}

/** All hypotheses about a backward pass that are no mere factor. */
export function hypothesesOf(b: Backward): Hypothesis[] {
  const last = beyondProducts(b)
  const cts = b.cotangents()
  return [
    ...regionsOf(b).flatMap(r => regionMistakes(b, r)),
    ...softmaxesOf(b).flatMap(s => softmaxMistakes(b, s)),
    ...[...last].flatMap(c => deltaMistakes(b, c, cts.get(c))),
    ...b.steps.flatMap(s => stepMistakes(b, s)),
  ]
}

/** A cotangent times a number. */
const scaled = (x: Tensor, c: number): Tensor => like(x, i => numbers(x)[i]! * c)
// Factors

export function scalingsOf(b: Backward): Scaling[] {
  const cellScaling = (kind: Scaling["kind"], c: Cell): Scaling => {
    const cell = b.id(c)
    const times = (k: number): Edits => ({ cells: new Map([[cell, ct => scaled(ct, k)]]) })
    return { kind, cell, ...(c.maker && { step: c.maker.index }), without: times(0), times }
  }
  const paths = b.steps.flatMap(step =>
    step.args.flatMap((a, operand): Scaling[] => {
      if (!b.active.has(a)) return []
      // the only way from a value that is no argument is the value itself
      if (a.uses.filter(u => b.active.has(u.step.outs[0]!)).length < 2) return []
      const times = (k: number): Edits => ({
        steps: new Map([
          [
            step.index,
            ({ step, usual }: Going): Sent =>
              usual().flatMap((x, i): Sent => (x ? [[step.args[i]!, i === operand ? scaled(x, k) : x]] : [])),
          ],
        ]),
      })
      return [{ kind: "path", step: step.index, cell: b.id(a), without: times(0), times }]
    }),
  )
  const inner = [...b.active].filter(c => c !== b.output && !b.leaves.includes(c))
  return [cellScaling("all", b.output), ...b.leaves.map(c => cellScaling("leaf", c)), ...inner.map(c => cellScaling("cell", c)), ...paths]
}

/** Lengths that a mean may have been taken over, with where they are found. */
export function sizesOf(b: Backward, names: readonly string[]): Map<number, string> {
  const out = new Map<number, string>()
  const note = (n: number, where: string): void => {
    if (n > 1 && !out.has(n)) out.set(n, where)
  }
  b.tape.inputs.forEach((c, i) => c.aval.shape.forEach((n, d) => note(n, `axis ${d} of ${names[i]}`)))
  for (const s of b.tape.steps) {
    if (s.prim.name === "sum") note(s.args[0]!.value.size / Math.max(1, s.outs[0]!.value.size), "what a sum adds up")
    for (const o of s.outs) if (b.active.has(o)) o.aval.shape.forEach((n, d) => note(n, `axis ${d} of the result of ${s.prim.name}`))
  }
  return out
}

// Activations

/** Another cotangent for `from` in the place of what the operations up to `to` send. */
function inPlaceOf(b: Backward, from: Cell, to: Cell, change: (ct: Tensor, x: Tensor, y: Tensor) => Tensor): Edits {
  const id = b.id(from)
  const send = ({ run, step, ct }: Going): Sent => {
    const target = run.cell(id)
    return [[target, change(ct, target.value, step.outs[0]!.value)]]
  }
  return { steps: new Map([[to.maker!.index, send]]) }
}

function regionMistakes(b: Backward, r: Region): Hypothesis[] {
  const { from, to, name, steps } = r
  const span = to.maker!.index - (from.maker?.index ?? -1)
  const make = (
    kind: Mistake["kind"],
    rank: number,
    change: (ct: Tensor, x: Tensor, y: Tensor) => Tensor,
    more: Partial<Mistake> = {},
  ) => ({
    mistake: { kind, name, ...more },
    rank: rank + span / 1000,
    step: to.maker!.index,
    cell: b.id(from),
    edits: inPlaceOf(b, from, to, change),
  })
  const plus = (ct: Tensor, y: Tensor, sign: number): Tensor => like(ct, i => numbers(ct)[i]! + sign * numbers(y)[i]!)
  const slope = (x: Tensor): Tensor => r.slopeAt(x) ?? like(x, () => Number.NaN)
  if (r.linear) return b.leaves.includes(from) ? [] : [make("factorLeftOut", 8.7, ct => ct)]
  const known = ACTIVATIONS[name]
  // of a longer formula without a name nobody would take the derivative for that of another function
  const others = Object.entries(ACTIVATIONS).filter(([other]) => other !== name && (known || steps === 1))
  return [
    make("noDerivative", 6, ct => ct),
    make("derivativeAtOutput", 7, (ct, _x, y) => times(ct, slope(y))),
    ...(known?.ofOutput ? [make("outputFormulaAtInput", 8, (ct, x) => times(ct, known.ofOutput!(x)))] : []),
    ...others.flatMap(([other, { slope, ofOutput }]) => [
      make("otherDerivative", 9, (ct, x) => times(ct, slope(x)), { other }),
      ...(ofOutput ? [make("otherDerivative", 9, (ct, _x, y) => times(ct, ofOutput(y)), { other })] : []),
    ]),
    ...(name === "relu" ? [make("invertedMask", 9, (ct, x) => like(ct, i => (numbers(x)[i]! <= 0 ? numbers(ct)[i]! : 0)))] : []),
    make("valueForDerivative", 10, (ct, _x, y) => times(ct, y)),
    make("derivativeTwice", 10, (ct, x) => times(times(ct, slope(x)), slope(x))),
    ...[1, -1].flatMap(sign => [
      make("sumForProduct", 11, (ct, x) => plus(ct, slope(x), sign)),
      make("sumForProduct", 11, (ct, x) => plus(ct, x, sign)),
      make("sumForProduct", 11.5, (ct, _x, y) => plus(ct, y, sign)),
    ]),
  ]
}
const times = (ct: Tensor, y: Tensor): Tensor => like(ct, i => numbers(ct)[i]! * numbers(y)[i]!)

function softmaxMistakes(b: Backward, { from, to, isLog }: Softmax): Hypothesis[] {
  const make = (kind: Mistake["kind"], rank: number, change: (ct: Tensor, s: Numbers) => Tensor): Hypothesis => ({
    mistake: { kind, name: isLog ? "logSoftmax" : "softmax" },
    rank,
    step: to.maker!.index,
    cell: b.id(from),
    edits: inPlaceOf(b, from, to, (ct, z) => change(ct, numbers(softmax(z)))),
  })
  const by = (f: (s: number) => number) => (ct: Tensor, s: Numbers) => like(ct, i => numbers(ct)[i]! * f(s[i]!))
  return [
    make("softmaxElementwise", 7, by(isLog ? s => 1 - s : s => s * (1 - s))),
    make(
      "noDerivative",
      8,
      by(() => 1),
    ),
    ...(isLog
      ? []
      : [
          make(
            "softmaxWithoutSum",
            8,
            by(s => s),
          ),
        ]),
  ]
}

/** Values from which no product with weights leads to the loss: what the loss makes its first cotangent for. */
function beyondProducts(b: Backward): Set<Cell> {
  const out = new Set<Cell>()
  const blocked = new Set<Cell>()
  for (const step of b.steps) {
    const isProduct = step.prim.meaning.kind === "contraction" || step.prim.name === "scan"
    for (const a of step.args) {
      if (!b.active.has(a)) continue
      if (isProduct || step.outs.some(o => blocked.has(o))) blocked.add(a)
      else out.add(a)
    }
  }
  for (const c of blocked) out.delete(c)
  for (const c of b.leaves) out.delete(c)
  return out
}

/** Mistakes in the first cotangent, which textbooks call delta: y - t for a cross-entropy. */
function deltaMistakes(b: Backward, c: Cell, ct: Tensor | undefined): Hypothesis[] {
  const cell = b.id(c)
  const near = c.maker ? { step: c.maker.index } : {}
  const make = (mistake: Mistake, rank: number, change: (ct: Tensor, x: Tensor) => Tensor): Hypothesis => ({
    mistake,
    rank: rank + cell / 1e6,
    ...near,
    cell,
    edits: { cells: new Map([[cell, change]]) },
  })
  const by = (slope: (x: Tensor) => Tensor) => (ct: Tensor, x: Tensor) => times(ct, slope(x))
  const softmaxSlope = (x: Tensor): Tensor => {
    const s = softmax(x)
    return s.mul(ops.sub(1, s))
  }
  const extra = Object.entries(ACTIVATIONS).map(([name, { slope }]) => make({ kind: "extraDerivative", name }, 8, by(slope)))
  const rows = c.aval.shape.length > 1 ? c.aval.shape[0]! : 1
  // of what is the same for all elements a shift would be a factor
  const varies = ct !== undefined && numbers(ct).some((x, _i, all) => x !== all[0])
  const shifts = varies || rows * c.value.size === 1 ? [...new Set([1, 1 / rows])].flatMap(k => [k, -k]) : []
  return [
    ...extra,
    ...shifts.map(factor => make({ kind: "shifted", factor }, 13, ct => like(ct, i => numbers(ct)[i]! + factor))),
    ...(isRows(c)
      ? [
          make({ kind: "extraDerivative", name: "softmax" }, 7.5, by(softmaxSlope)),
          make({ kind: "softmaxElementwise", name: "softmax" }, 8, (ct, x) => fromDelta(ct, x, (st, t, s) => -t * (1 - s) + 0 * st)),
          // the same numbers as a way left out, and what people do
          make({ kind: "targetLeftOut", name: "softmax" }, 8.5, (ct, x) => fromDelta(ct, x, st => st)),
          make({ kind: "targetSign", name: "softmax" }, 6.2, (ct, x) => fromDelta(ct, x, (st, t) => st + t)),
        ]
      : []),
  ]
}
/**
 * Where a cotangent is (s - t) k, with s = softmax(z), targets t that are 0 at least once in each row and a weight k of the row:
 * `f(s k, t k, s)`.
 */
function fromDelta(ct: Tensor, z: Tensor, f: (sk: number, tk: number, s: number) => number): Tensor {
  const n = z.shape.at(-1)!
  const s = numbers(softmax(z))
  const g = numbers(ct)
  return like(ct, i => {
    const row = i - (i % n)
    let k = Number.NEGATIVE_INFINITY
    for (let j = row; j < row + n; j++) k = Math.max(k, g[j]! / s[j]!)
    return f(s[i]! * k, s[i]! * k - g[i]!, s[i]!)
  })
}

// Products, sums and copies

function stepMistakes(b: Backward, step: Step): Hypothesis[] {
  switch (step.prim.name) {
    case "matmul":
      return [0, 1].flatMap(operand => matmulMistakes(b, step, operand as 0 | 1))
    case "mul":
    case "div":
      return [0, 1].flatMap(operand => mulMistakes(b, step, operand as 0 | 1))
    case "sub":
      return subMistakes(b, step)
    case "broadcast":
      return broadcastMistakes(b, step)
    default:
      return []
  }
}

/** Sends to one operand what `change` says, to the others what is usual; `change` may decline for the shapes at hand. */
function operandEdit(step: Step, operand: number, change: (ct: Tensor, args: readonly Cell[], run: Backward) => Tensor): Edits {
  const send = ({ run, step, ct, usual }: Going): Sent =>
    usual().flatMap((x, i): Sent => (x ? [[step.args[i]!, i === operand ? change(ct, step.args, run) : x]] : []))
  return { steps: new Map([[step.index, send]]) }
}

function mulMistakes(b: Backward, step: Step, operand: 0 | 1): Hypothesis[] {
  const x = step.args[operand]!
  const y = step.args[1 - operand]!
  if (!b.active.has(x) || x === y) return []
  const make = (kind: Mistake["kind"], rank: number, change: (ct: Tensor, y: Tensor) => Tensor): Hypothesis => ({
    mistake: { kind, name: step.prim.name },
    rank,
    step: step.index,
    cell: b.id(x),
    edits: operandEdit(step, operand, (ct, args) => change(ct, args[1 - operand]!.value)),
  })
  const isDiv = step.prim.name === "div"
  const plus = (sign: number) => (ct: Tensor, y: Tensor) => like(ct, i => numbers(ct)[i]! + sign * numbers(y)[i]!)
  return [
    ...(isDiv && operand === 1 ? [] : [make("factorLeftOut", 8.7, ct => ct)]),
    ...(isDiv ? [] : [make("sumForProduct", 12, plus(1)), make("sumForProduct", 12, plus(-1))]),
  ]
}

/** Where the slope of an error is a multiple of y - t, that of y + t. */
function subMistakes(b: Backward, step: Step): Hypothesis[] {
  const [y, t] = step.args as [Cell, Cell]
  if (!b.active.has(y) || b.active.has(t) || y.value.size !== t.value.size) return []
  const added = (ct: Tensor, [y, t]: readonly Cell[]): Tensor => {
    const [ys, ts, g] = [numbers(y!.value), numbers(t!.value), numbers(ct)]
    return like(ct, i => (g[i]! * (ys[i]! + ts[i]!)) / (ys[i]! - ts[i]!))
  }
  return [{ mistake: { kind: "targetSign" }, rank: 9, step: step.index, cell: b.id(y), edits: operandEdit(step, 0, added) }]
}

function broadcastMistakes(b: Backward, step: Step): Hypothesis[] {
  const [x] = step.args as [Cell]
  const { shape, axes } = step.params as { shape: readonly number[]; axes: readonly number[] }
  if (!b.active.has(x) || axes.every(d => shape[d] === 1)) return []
  const make = (kind: Mistake["kind"], entry: (n: number) => number): Hypothesis => ({
    mistake: { kind, name: "broadcast" },
    rank: 9,
    step: step.index,
    cell: b.id(x),
    edits: operandEdit(step, 0, ct => ops.slice(ct, ...shape.map((n, d) => (axes.includes(d) ? entry(n) : (":" as const))))),
  })
  return [make("firstExampleOnly", () => 0), make("lastExampleOnly", n => n - 1)]
}

/** A matrix in row-major order. */
interface Matrix {
  readonly rows: number
  readonly cols: number
  readonly at: (i: number, j: number) => number
}
const matrix = (x: Tensor): Matrix => {
  const values = numbers(x)
  const [rows, cols] = x.shape as [number, number]
  return { rows, cols, at: (i, j) => values[i * cols + j]! }
}
const turned = ({ rows, cols, at }: Matrix): Matrix => ({ rows: cols, cols: rows, at: (i, j) => at(j, i) })
/** sum over k of f(i, j, k) */
const summed = (rows: number, cols: number, n: number, f: (i: number, j: number, k: number) => number): Matrix => ({
  rows,
  cols,
  at(i, j) {
    let total = 0
    for (let k = 0; k < n; k++) total += f(i, j, k)
    return total
  },
})
const asTensor = ({ rows, cols, at }: Matrix, { dtype }: Aval): Tensor => {
  const array = allocate(dtype, rows * cols)
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) array[i * cols + j] = at(i, j)
  return fromArray(array, { shape: [rows, cols], dtype })
}

/**
 * The cotangent of an operand is C O^T, from the cotangent C [m, n] and the other operand O [k, n]; for the second operand all three
 * are transposed. For weights n counts the examples, for what comes from the layer before the outputs.
 */
function matmulMistakes(b: Backward, step: Step, operand: 0 | 1): Hypothesis[] {
  const x = step.args[operand]!
  const o = step.args[1 - operand]!
  if (!b.active.has(x) || x.aval.shape.length !== 2) return []
  const isWeight = b.leaves.includes(x)
  const [m, k] = (operand === 0 ? x.aval.shape : [...x.aval.shape].reverse()) as [number, number]
  const n = size(step.outs[0]!.aval.shape) / m
  const make = (
    kind: Mistake["kind"],
    rank: number,
    result: (c: Matrix, o: Matrix) => Matrix,
    more: Partial<Mistake> = {},
    other?: number,
  ): Hypothesis => ({
    mistake: { kind, name: "matmul", ...more },
    rank,
    step: step.index,
    cell: b.id(x),
    edits: operandEdit(step, operand, (ct, args, run) => {
      const [c, y] = [matrix(ct), matrix((other === undefined ? args[1 - operand]! : run.cell(other)).value)]
      return asTensor(operand === 0 ? result(c, y) : turned(result(turned(c), turned(y))), x.aval)
    }),
  })
  const only = (at: number) => (c: Matrix, o: Matrix) => summed(m, k, 1, (i, j) => c.at(i, at) * o.at(j, at))
  const out: Hypothesis[] = [
    make(isWeight ? "inputLeftOut" : "weightsLeftOut", 10, c => summed(m, k, n, (i, _j, l) => c.at(i, l))),
    make("sumForProduct", 11, (c, o) => summed(m, k, n, (i, j, l) => c.at(i, l) + o.at(j, l))),
  ]
  if (n > 1) {
    out.push(make(isWeight ? "firstExampleOnly" : "firstOutputOnly", 9, only(0)))
    out.push(make(isWeight ? "lastExampleOnly" : "lastOutputOnly", 9, only(n - 1)))
  }
  if (k === n) {
    out.push(make(isWeight ? "inputNotTransposed" : "notTransposed", 9, (c, o) => summed(m, k, n, (i, j, l) => c.at(i, l) * o.at(l, j))))
    out.push(make("elementwise", 10, (c, o) => ({ rows: m, cols: k, at: (i, j) => c.at(i, j) * o.at(j, j) })))
    out.push(make("wrongSumIndex", 10, (c, o) => summed(m, k, k, (i, j, l) => c.at(i, j) * o.at(l, j))))
    out.push(make("wrongSumIndex", 10, (c, o) => summed(m, k, k, (i, j, l) => c.at(i, j) * o.at(j, l))))
    if (!isWeight) out.push(make("weightsLeftOut", 10, c => c))
    if (m === n) {
      out.push(make("elementwise", 10, (c, o) => ({ rows: m, cols: k, at: (i, j) => c.at(i, j) * o.at(i, j) })))
      out.push(make("elementwise", 10, (c, o) => ({ rows: m, cols: k, at: (i, j) => c.at(i, j) * o.at(j, i) })))
    }
  }
  if (isWeight)
    for (const c of b.cells) {
      // another layer's values, or these before their activation
      const fits = c !== o && c !== x && c.aval.dtype === o.aval.dtype && c.aval.shape.length === 2
      const isLayer = c.maker ? b.active.has(c) && c.maker.prim.name !== "matmul" && c.maker.prim.name !== "broadcast" : true
      if (!fits || !isLayer || c.aval.shape.some((d, i) => d !== o.aval.shape[i])) continue
      const told = { other: c.maker ? c.maker.prim.name : "an argument" }
      out.push(make("wrongInput", 11, (ct, y) => summed(m, k, n, (i, j, l) => ct.at(i, l) * y.at(j, l)), told, b.id(c)))
    }
  return out
}
