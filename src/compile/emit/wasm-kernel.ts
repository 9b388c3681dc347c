// A kernel as the code of one function: the loops over the elements of the output.
import type { Axis } from "../../ir/affine.ts"
import type { Bound } from "../../ir/expr.ts"
import { type Kernel, storesOf } from "../kernel.ts"
import type { Code, Local } from "./wasm-bytes.ts"
import { Facts, type Lanes, outputLanes, single } from "./wasm-facts.ts"
import { load, operation, store, valueType } from "./wasm-ops.ts"
import { type Phase, type Range, Values } from "./wasm-values.ts"

/** Where the addresses of results and operands are. */
export interface Places {
  readonly outs: readonly Local[]
  readonly operands: readonly Local[]
}

/** The kernel, or some turns of its outermost loop (`isDealable`). */
export function writeKernel(kernel: Kernel, places: Places, code: Code, range?: Range): void {
  const { axes, out: first } = kernel
  const stores = storesOf(kernel)
  if (axes.some(axis => axis.n === 0)) return
  const facts = new Facts(kernel)
  const wide = outputLanes(kernel, facts)
  const values = new Values(code, facts, places.operands)
  const bodies = stores.map(s => facts.of(s.body))
  // turns that are left over are computed one by one
  const ways = !wide ? [single] : wide.axis!.n % wide.width ? [single, wide] : [wide]

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
    for (const body of bodies) for (const l of ways) values.hoist(body, l, guarded)
    const read = [...bodies, ...stores.flatMap(s => facts.readBy(s.out.at)), ...bounds.flatMap(b => facts.readBy(b.i))]
    const accesses = read.flatMap(e => values.addresses.accesses(e, guarded))
    stores.forEach(({ out }, i) => {
      accesses.push({ base: places.outs[i]!, t: out.t, at: out.at, guarded })
    })
    const phase = (lanes: Lanes, n: number): Phase => {
      const step = lanes.width * lanes.count
      return { step, turns: Math.floor(n / step), body: () => nest(inner, bounds, lanes) }
    }
    if (inner.length > 0 || !wide) values.sweep(axis, accesses, [phase(single, axis.n)], axis === axes[0] ? range : undefined)
    else {
      const { width, count } = wide
      const rest = count > 1 ? [phase({ ...wide, count: 1 }, axis.n % (width * count))] : []
      values.sweep(axis, accesses, [phase(wide, axis.n), ...rest, phase(single, axis.n % width)])
    }
  }

  function element(lanes: Lanes): void {
    for (let u = 0; u < lanes.count; u++) {
      // of several elements all are computed before any is stored: a result may lie where an operand did
      const ready = stores.slice(1).map(({ body }, i) => {
        const local = code.local(valueType(body.t, lanes.width))
        values.push(bodies[i + 1]!, lanes, u)
        code.set(local)
        return local
      })
      const ahead = u * lanes.width
      const offset = values.addresses.push(places.outs[0]!, first.t, first.at, ahead)
      if (first.mode === "add") {
        const address = code.local("i32")
        code.tee(address).get(address)
        load(code, first.t, lanes.width, offset)
      }
      values.push(bodies[0]!, lanes, u)
      if (first.mode === "add") operation(code, "add", kernel.body.t, kernel.body.t, lanes.width)
      store(code, first.t, lanes.width, offset)
      stores.slice(1).forEach(({ out }, i) => {
        const offset = values.addresses.push(places.outs[i + 1]!, out.t, out.at, ahead)
        code.get(ready[i]!)
        store(code, out.t, lanes.width, offset)
      })
    }
  }

  nest(axes, first.bounds, single)
}
