// Where a NaN or an infinity comes from: the first operation that made it out of finite numbers.
import { indexOf } from "../check/arrays.ts"
import { type Aval, differentiable, show } from "../core/aval.ts"
import { fromArray } from "../core/concrete.ts"
import { allocate, isFloating, type TypedArray } from "../core/dtype.ts"
import type { Maybe } from "../core/primitive.ts"
import type { Tensor } from "../core/tensor.ts"
import { paths, type Tree } from "../core/tree.ts"
import { add } from "../primitives/base.ts"
import { prose } from "./layout.ts"
import { type OriginCause, sayOrigin } from "./messages.ts"
import { type Cell, type Line, lineOf, pull, record, type Step, type Tape } from "./run.ts"

export type { Line } from "./run.ts"

/** One operand of the operation that made the number. */
export interface OriginOperand {
  /** `operand 0`, or `cotangent` for what arrives from the side of the loss. */
  readonly name: string
  /** Such as `f32[2,3]`. */
  readonly type: string
  /** The place of the number that did it, and the number; where a result gathers many, the most extreme one. */
  readonly index: readonly number[]
  readonly value: number
}

/** Where a NaN or an infinity comes from. Plain data; `renderOrigin` makes text of it. */
export interface Origin {
  /** `input`: it was handed in; `backward`: the value is finite, the gradient is not. */
  readonly phase: "input" | "forward" | "backward"
  /** The operation, such as `log`; backwards the forward operation that it belongs to; of an input its path. */
  readonly operation: string
  /** Layers, composites and turns of loops that it stands in, outermost first. */
  readonly scope: readonly string[]
  /** How many operations have run before it. */
  readonly step: number
  /** The first number that is not finite, and its place in the result. */
  readonly value: number
  readonly index: readonly number[]
  /** How many elements of the result are not finite, of how many. */
  readonly count: number
  readonly size: number
  readonly operands: readonly OriginOperand[]
  /** The line that asked for the operation; of operations in jitted functions and loops the line of the call. */
  readonly line?: Line
  readonly cause: OriginCause
  /** What happened, and what to do about it. */
  readonly sentence: string
  readonly remedy: string
}

export interface OriginOptions {
  /** Whether to look for it in the gradient too, if the value is finite. Default: true, where the value is a scalar. */
  readonly gradient?: boolean
}

/**
 * The first operation of `f`, or of its gradient, that made a NaN or an infinity out of finite numbers; null where value and gradient
 * are finite.
 *
 * `f` is run operation by operation with these very numbers, jitted functions, branches and loops unrolled, and then backwards in the
 * same way, from the scalar that it returns (or the first entry of `[loss, aux]`) to all floating-point arguments. Infinities that
 * lead nowhere, such as those of a mask that `exp` turns to 0, are no origin. Loops of more than 20,000 operations stay one operation.
 *
 * @example
 * const origin = findOrigin((x: Tensor) => x.log().sum(), [tensor([1, 0])])
 * origin!.sentence  // "log(0) is -Infinity at [1]."
 */
export function findOrigin(f: (...args: any[]) => any, inputs: readonly unknown[], { gradient = true }: OriginOptions = {}): Origin | null {
  const caller = lineOf({ asked: new Error() })
  const tape = record(f, inputs)
  const names = paths(inputs as Tree)
  const origin = forwardOrigin(tape, tape.outputs, names) ?? (gradient ? backwardOrigin(tape, names) : null)
  if (!origin) return null
  const { line, ...rest } = origin
  // a function that was jitted as a whole has no line but the one that called this function
  return line && !(caller && line.file === caller.file && line.line === caller.line) ? { ...rest, line } : rest
}

const bad = (x: number): boolean => !Number.isFinite(x)
/** Of numbers that are not finite the first place; -1 if all are. */
const firstBad = (values: TypedArray): number => values.findIndex(bad)
const floats = (c: { aval: Aval }): boolean => isFloating(c.aval.dtype)

/** Whether values are finite and NaN, each looked at once. */
class Look {
  private readonly seen = new Map<Cell, { bad: boolean; nan: boolean }>()
  of(c: Cell): { bad: boolean; nan: boolean } {
    let known = this.seen.get(c)
    if (!known) {
      const values = floats(c) ? c.value.values() : new Float64Array(0)
      this.seen.set(c, (known = { bad: firstBad(values) >= 0, nan: values.some(Number.isNaN) }))
    }
    return known
  }
}

/** Goes back from results that are not finite along values that are not, to where they begin. */
function forwardOrigin(tape: Tape, from: readonly Cell[], names: readonly string[]): Origin | null {
  const look = new Look()
  const reached = new Set<Cell>()
  const walk = [...from.filter(c => look.of(c).bad)]
  for (let c = walk.pop(); c; c = walk.pop()) {
    if (reached.has(c)) continue
    reached.add(c)
    if (c.maker) walk.push(...c.maker.args.filter(a => look.of(a).bad))
  }
  const cells = [...reached]
  const given = (test: (c: Cell) => boolean): Origin | undefined => {
    const at = tape.inputs.findIndex(c => reached.has(c) && test(c))
    return at < 0 ? undefined : inputOrigin(tape.inputs[at]!, names[at]!)
  }
  const nan = given(c => look.of(c).nan)
  if (nan) return nan
  const makers = [...new Set(cells.flatMap(c => c.maker ?? []))].sort((a, b) => a.index - b.index)
  const finite = makers.find(s => s.args.length > 0 && s.args.every(a => !look.of(a).bad))
  // an infinity that was meant is harmless until it meets another one
  const meeting = makers.find(s => s.args.length > 0 && s.outs.some(o => look.of(o).nan) && !s.args.some(a => look.of(a).nan))
  const chosen = makers.find(s => s.prim.name === "select" && s.args.some(a => look.of(a).bad))
  const step = finite ?? meeting ?? chosen
  if (step) return originAt(step)
  const outside = cells.find(c => !c.maker || c.maker.args.length === 0)
  return given(() => true) ?? (outside ? inputOrigin(outside, sayOrigin.outside) : null)
}

function inputOrigin(c: Cell, path: string): Origin {
  const values = c.value.values()
  const at = firstBad(values)
  const index = indexOf(at, c.aval.shape)
  const base = { operation: path, scope: [], step: 0, value: values[at]!, index, count: values.filter(bad).length, size: values.length }
  return { phase: "input", ...base, operands: [], cause: "input", ...sayOrigin.told("input", { ...base, operands: [], related: [] }) }
}

function originAt(step: Step): Origin {
  const out = step.outs.find(o => floats(o) && firstBad(o.value.values()) >= 0)!
  const values = out.value.values()
  const at = values.some(Number.isNaN) ? values.findIndex(Number.isNaN) : firstBad(values)
  const operands = step.args.flatMap((a, i) => (floats(a) ? [operandAt(`operand ${i}`, a.aval, a.value.values(), at, values.length)] : []))
  return told("forward", step, { values, at, shape: out.aval.shape, operands })
}

interface Found {
  readonly values: TypedArray
  readonly at: number
  readonly shape: readonly number[]
  readonly operands: readonly OriginOperand[]
}
function told(phase: "forward" | "backward", step: Step, { values, at, shape, operands }: Found): Origin {
  const base = {
    operation: step.prim.name,
    scope: step.scope,
    step: step.index,
    value: values[at]!,
    index: indexOf(at, shape),
    count: values.filter(bad).length,
    size: values.length,
  }
  const cause = causeOf(phase, step, operands, values[at]!)
  const line = lineOf(step)
  return {
    phase,
    ...base,
    operands,
    ...(line && { line }),
    cause,
    ...sayOrigin.told(cause, { ...base, operands, related: related(step) }),
  }
}

/** The number beside the result; where shapes differ, the one that is most likely to have done it: not finite, or the largest. */
function operandAt(name: string, aval: Aval, values: TypedArray, at: number, size: number): OriginOperand {
  let place = values.length === size ? at : firstBad(values)
  if (place < 0) {
    place = 0
    for (let i = 1; i < values.length; i++) if (Math.abs(values[i]!) > Math.abs(values[place]!)) place = i
  }
  return { name, type: show(aval), index: indexOf(place, aval.shape), value: values[place] ?? Number.NaN }
}

/** The operations next to it, up to two before and after: a logarithm of a softmax asks for another remedy than others. */
const related = (step: Step): string[] => {
  const makers = (s: Step): Step[] => s.args.flatMap(a => a.maker ?? [])
  const users = (s: Step): Step[] => s.outs.flatMap(o => o.uses.map(u => u.step))
  const near = [makers, users].flatMap(next => next(step).flatMap(s => [s, ...next(s)]))
  return [...near.map(s => s.prim.name), ...near.flatMap(s => s.scope), ...step.scope]
}

function causeOf(phase: "forward" | "backward", step: Step, operands: readonly OriginOperand[], result: number): OriginCause {
  const [x, y] = operands.map(o => o.value) as [number, number]
  const { name } = step.prim
  if (phase === "backward" && name !== "sqrt" && name !== "pow" && name !== "hypot") {
    if (name === "log" || name === "log2" || name === "log10" || name === "log1p") return "logSlope"
    if (name === "div") return y === 0 || 1 / y === Infinity || 1 / y === -Infinity ? "zeroDivision" : "divSlope"
    if (name === "customVjp" || name === "customJvp") return "rule"
    return ["asin", "acos", "atanh", "erfinv", "cbrt", "acosh"].includes(name) ? "edgeSlope" : "backwardOverflow"
  }
  switch (name) {
    case "log":
    case "log2":
    case "log10":
    case "log1p":
      return x === (name === "log1p" ? -1 : 0) ? "logOfZero" : "logOfNegative"
    case "sqrt":
      return phase === "backward" ? "sqrtSlope" : "sqrtOfNegative"
    case "hypot":
      return phase === "backward" ? "sqrtSlope" : "overflow"
    case "div":
      return y === 0 ? (x === 0 ? "zeroByZero" : "zeroDivision") : bad(y) ? "infByInf" : "overflow"
    case "exp":
    case "exp2":
    case "expm1":
    case "sinh":
    case "cosh":
      return "expOverflow"
    case "pow":
      if (phase === "backward") return "powSlope"
      return x === 0 ? "powOfZero" : x < 0 && Number.isNaN(result) ? "powOfNegative" : "overflow"
    case "asin":
    case "acos":
    case "atanh":
    case "acosh":
    case "erfinv":
      return "domain"
    case "add":
    case "sub":
      return bad(x) && bad(y) ? "infMinusInf" : "overflow"
    case "mul":
    case "mulNoNan":
      return Number.isNaN(result) ? "zeroTimesInf" : "overflow"
    case "sum":
      return Number.isNaN(result) ? "infMinusInf" : "overflow"
    case "matmul":
    case "conv":
      return Number.isNaN(result) ? "zeroTimesInf" : "overflow"
    case "cast":
      return "castOverflow"
    default:
      return step.prim.name === "select" ? "chosen" : "other"
  }
}

/** Goes backwards operation by operation, as reverse mode does, and finds where a gradient that is not finite begins. */
function backwardOrigin(tape: Tape, names: readonly string[]): Origin | null {
  const [loss] = tape.outputs
  if (!loss || loss.aval.shape.length > 0 || !differentiable(loss.aval)) return null
  const depends = dependents(tape)
  const cts = new Map<Cell, Tensor>([[loss, fromArray(allocate(loss.aval.dtype, 1).fill(1), { shape: [], dtype: loss.aval.dtype })]])
  const pulled = new Map<Step, readonly Maybe[]>()
  for (const step of [...tape.steps].reverse()) {
    const outs = step.outs.map(o => cts.get(o) ?? null)
    if (outs.every(ct => ct === null) || !step.args.some(a => depends.has(a))) continue
    const wanted = step.args.map(a => depends.has(a))
    const back = pull(step, outs, wanted)
    pulled.set(step, back)
    step.args.forEach((a, i) => {
      const ct = back[i]
      if (!ct) return
      const before = cts.get(a)
      cts.set(a, before ? add(before, ct) : ct)
    })
  }
  const isBad = (x: Maybe | undefined): boolean => !!x && firstBad(x.values()) >= 0
  // from gradients that are not finite towards the loss, along cotangents that are not
  const walk = tape.inputs.filter(c => isBad(cts.get(c)))
  const reached = new Set<Cell>()
  const steps = new Set<Step>()
  for (let c = walk.pop(); c; c = walk.pop()) {
    if (reached.has(c)) continue
    reached.add(c)
    for (const { step, operand } of c.uses) {
      if (!isBad(pulled.get(step)?.[operand])) continue
      steps.add(step)
      walk.push(...step.outs.filter(o => isBad(cts.get(o))))
    }
  }
  const order = [...steps].sort((a, b) => b.index - a.index)
  const finiteCts = (s: Step): boolean => s.outs.every(o => !isBad(cts.get(o)))
  const made = order.find(finiteCts)
  if (!made) return null
  // an infinite value that the loss does not show
  const infinite = made.args.filter(a => floats(a) && firstBad(a.value.values()) >= 0)
  if (infinite.length > 0) return forwardOrigin(tape, infinite, names)
  const back = pulled.get(made)!
  const which = back.findIndex(isBad)
  const values = back[which]!.values()
  const at = firstBad(values)
  const operands = made.args.flatMap((a, i) => (floats(a) ? [operandAt(`operand ${i}`, a.aval, a.value.values(), at, values.length)] : []))
  const arriving = made.outs.flatMap(o => {
    const ct = cts.get(o)
    return ct ? [operandAt("cotangent", ct.aval, ct.values(), at, values.length)] : []
  })
  return told("backward", made, { values, at, shape: made.args[which]!.aval.shape, operands: [...operands, ...arriving] })
}

/** Floating-point values that depend on an argument. */
function dependents({ steps, inputs }: Tape): Set<Cell> {
  const out = new Set<Cell>(inputs.filter(floats))
  for (const s of steps) {
    if (s.prim.name === "stopGradient" || !s.args.some(a => out.has(a))) continue
    for (const o of s.outs) if (floats(o)) out.add(o)
  }
  return out
}

/**
 * An origin as text of at most 80 columns; of null that all is finite.
 *
 * @example
 * const text = renderOrigin(findOrigin((x: Tensor) => x.log().sum(), [tensor([1, 0])]))
 */
export function renderOrigin(origin: Origin | null): string {
  if (!origin) return sayOrigin.finite
  const { operands, line, scope } = origin
  const lines = [
    ...prose(origin.sentence, 0, 2),
    ...(scope.length ? prose(sayOrigin.where(scope), 2) : []),
    ...(line ? [`  ${sayOrigin.line(line)}`] : []),
    ...operands.flatMap(o => prose(sayOrigin.operand(o), 2)),
    ...(origin.size > 1 ? [`  ${sayOrigin.count(origin)}`] : []),
    ...prose(origin.remedy, 0, 2),
  ]
  return lines.join("\n")
}
