// A kernel as the code of one function: the loops over the elements of the output.
import type { Axis } from "../../ir/affine.ts"
import type { Bound } from "../../ir/expr.ts"
import type { Kernel } from "../kernel.ts"
import { outParam } from "./wasm-address.ts"
import type { Code } from "./wasm-bytes.ts"
import { Facts, type Lanes, outputLanes, single, valuesOf } from "./wasm-facts.ts"
import { load, operation, store } from "./wasm-ops.ts"
import { type Phase, Values } from "./wasm-values.ts"

export function writeKernel(kernel: Kernel, code: Code): void {
  const { axes, out, body } = kernel
  if (axes.some(axis => axis.n === 0)) return
  const facts = new Facts(kernel)
  const wide = outputLanes(kernel, facts)
  const values = new Values(code, facts)

  /** The loops over `axes`, inside of which `bounds` are still to be looked at: as far out as they can be. */
  function nest(axes: readonly Axis[], bounds: readonly Bound[], lanes: Lanes): void {
    const now = bounds.filter(b => values.addresses.isBound(facts.freeOfIndex(b.i)))
    const later = bounds.filter(b => !now.includes(b))
    const [axis, ...inner] = axes
    values.within(now, () => {
      if (axis) loop(axis, inner, later)
      else element(lanes)
    })
  }

  function loop(axis: Axis, inner: readonly Axis[], bounds: readonly Bound[]): void {
    const guarded = bounds.length > 0
    for (const l of wide ? [single, wide] : [single]) values.hoist(body, l, guarded)
    const read = [body, ...[out.at, ...bounds.map(b => b.i)].flatMap(valuesOf)]
    const accesses = read.flatMap(e => values.addresses.accesses(e, guarded))
    accesses.push({ base: outParam, t: out.t, at: out.at, guarded })
    const phase = (lanes: Lanes, n: number): Phase => {
      const step = lanes.width * lanes.count
      return { step, turns: Math.floor(n / step), body: () => nest(inner, bounds, lanes) }
    }
    if (inner.length > 0 || !wide) values.sweep(axis, accesses, [phase(single, axis.n)])
    else {
      const { width, count } = wide
      const rest = count > 1 ? [phase({ ...wide, count: 1 }, axis.n % (width * count))] : []
      values.sweep(axis, accesses, [phase(wide, axis.n), ...rest, phase(single, axis.n % width)])
    }
  }

  function element(lanes: Lanes): void {
    const { t, at, mode } = out
    for (let u = 0; u < lanes.count; u++) {
      const offset = values.addresses.push(outParam, t, at, u * lanes.width)
      if (mode === "add") {
        const address = code.local("i32")
        code.tee(address).get(address)
        load(code, t, lanes.width, offset)
      }
      values.push(body, lanes, u)
      if (mode === "add") operation(code, "add", t, t, lanes.width)
      store(code, t, lanes.width, offset)
    }
  }

  nest(axes, out.bounds, single)
}
