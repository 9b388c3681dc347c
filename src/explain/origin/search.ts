// Along values that are not finite, to where they begin.
import { differentiable } from "../../core/aval.ts"
import type { Maybe } from "../../core/primitive.ts"
import { say } from "../messages/index.ts"
import { Backward } from "../reverse.ts"
import type { Cell, Step, Tape } from "../tape.ts"
import type { Origin } from "./origin.ts"
import { firstBad, floats, inputOrigin, operandAt, operandsAt, originAt, told } from "./tell.ts"

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
export function forwardOrigin(tape: Tape, from: readonly Cell[], names: readonly string[]): Origin | null {
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
  return given(() => true) ?? (outside ? inputOrigin(outside, say.origin.outside) : null)
}

/** Goes backwards operation by operation, as reverse mode does, and finds where a gradient that is not finite begins. */
export function backwardOrigin(tape: Tape, names: readonly string[]): Origin | null {
  const [loss] = tape.outputs
  if (!loss || loss.aval.shape.length > 0 || !differentiable(loss.aval)) return null
  const pulled = new Map<Step, readonly Maybe[]>()
  const cts = new Backward(tape, tape.inputs.map(floats)).cotangents({}, pulled)
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
  const arriving = made.outs.flatMap(o => {
    const ct = cts.get(o)
    return ct ? [operandAt("cotangent", ct.aval, ct.values(), at, values.length)] : []
  })
  return told("backward", made, {
    values,
    at,
    shape: made.args[which]!.aval.shape,
    operands: [...operandsAt(made, at, values.length), ...arriving],
  })
}
