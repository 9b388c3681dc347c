// What is told of an operation that makes numbers that are not finite.
import { indexOf } from "../../check/arrays.ts"
import { type Aval, show } from "../../core/aval.ts"
import { isFloating, type TypedArray } from "../../core/dtype.ts"
import { say } from "../messages/index.ts"
import { lineOf } from "../source-line.ts"
import type { Cell, Step } from "../tape.ts"
import { causeOf } from "./cause.ts"
import type { Origin, OriginOperand } from "./origin.ts"

const bad = (x: number): boolean => !Number.isFinite(x)
/** Of numbers that are not finite the first place; -1 if all are. */
export const firstBad = (values: TypedArray): number => values.findIndex(bad)
export const floats = (c: { aval: Aval }): boolean => isFloating(c.aval.dtype)

export function inputOrigin(c: Cell, path: string): Origin {
  const values = c.value.values()
  const at = firstBad(values)
  const index = indexOf(at, c.aval.shape)
  const base = { operation: path, scope: [], step: 0, value: values[at]!, index, count: values.filter(bad).length, size: values.length }
  return { phase: "input", ...base, operands: [], cause: "input", ...say.origin.told("input", { ...base, operands: [], related: [] }) }
}

export function originAt(step: Step): Origin {
  const out = step.outs.find(o => floats(o) && firstBad(o.value.values()) >= 0)!
  const values = out.value.values()
  const at = values.some(Number.isNaN) ? values.findIndex(Number.isNaN) : firstBad(values)
  return told("forward", step, { values, at, shape: out.aval.shape, operands: operandsAt(step, at, values.length) })
}
/** The floating-point operands of a step. */
export const operandsAt = (step: Step, at: number, size: number): OriginOperand[] =>
  step.args.flatMap((a, i) => (floats(a) ? [operandAt(`operand ${i}`, a.aval, a.value.values(), at, size)] : []))

interface Found {
  readonly values: TypedArray
  readonly at: number
  readonly shape: readonly number[]
  readonly operands: readonly OriginOperand[]
}
export function told(phase: "forward" | "backward", step: Step, { values, at, shape, operands }: Found): Origin {
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
    ...say.origin.told(cause, { ...base, operands, related: related(step) }),
  }
}

/** The number beside the result; where shapes differ, the one that is most likely to have done it: not finite, or the largest. */
export function operandAt(name: string, aval: Aval, values: TypedArray, at: number, size: number): OriginOperand {
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
