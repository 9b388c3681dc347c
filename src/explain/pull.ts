// Reverse mode, one application at a time.
import { show } from "../core/aval.ts"
import type { Maybe } from "../core/primitive.ts"
import { bind, type Tensor } from "../core/tensor.ts"
import { idOf, paramsKey } from "../graph/key.ts"
import { jit } from "../runtime/jit.ts"
import { vjp } from "../transforms/grad.ts"
import { blank, type Step } from "./tape.ts"

/** Compiled pulls of operations that are the same but for their numbers. */
const pulls = new Map<string, (xs: readonly Tensor[], cts: readonly Tensor[]) => Tensor[]>()
const MAX_PULLS = 2000

/**
 * The cotangents of the operands `wanted` of one operation from those of its results, as reverse mode has them.
 * `null` where the operand is not wanted, is no floating-point number, or where nothing arrives.
 */
export function pull(step: Step, cts: readonly Maybe[], wanted: readonly boolean[]): Maybe[] {
  if (cts.every(ct => ct === null)) return step.args.map(() => null)
  const key = `${idOf(step.prim)} ${paramsKey(step.params)} ${step.args.map(a => show(a.aval) + (a.aval.weak ? "*" : ""))} ${wanted.map(Number)}`
  let f = pulls.get(key)
  if (!f) {
    const apply = (xs: readonly Tensor[], moving: readonly Tensor[]): readonly Tensor[] => {
      let next = 0
      return bind(
        step.prim,
        xs.map((x, i) => (wanted[i] ? moving[next++]! : x)),
        step.params,
      )
    }
    f = jit((xs: readonly Tensor[], cts: readonly Tensor[]) => {
      const moving = xs.filter((_, i) => wanted[i])
      return vjp((...given: Tensor[]) => apply(xs, given), ...moving)[1](cts as Tensor[])
    })
    if (pulls.size >= MAX_PULLS) pulls.clear()
    pulls.set(key, f)
  }
  const full = cts.map((ct, i) => ct ?? blank(step.outs[i]!.aval))
  const xs = step.args.map(a => a.value)
  const back = f(xs, full)
  let next = 0
  return wanted.map(w => (w ? back[next++]! : null))
}
