// Reductions as code.
import type { Code, Local } from "./wasm-bytes.ts"
import { inOrder, isEmpty, type Lanes, type Reduce, reduceLanes, single, type Value } from "./wasm-facts.ts"
import { combining, extract, gather, identity, laneBytes, operation, replace, splat, valueType } from "./wasm-ops.ts"
import type { Phase, Values } from "./wasm-values.ts"

/** A local for each vector of the result. */
export function writeReduce(v: Values, reduction: Value<Reduce>, lanes: Lanes): Local[] {
  const e = reduction.expr
  if (isEmpty(e)) return v.locals(e.t, lanes, e.op === "argmax" || e.op === "argmin" ? 0 : identity(e.op, e.t))
  if (e.op === "argmax" || e.op === "argmin") return position(v, reduction, lanes)
  const across = lanes.axis ? undefined : reduceLanes(reduction, v.facts)
  return across ? [acrossLanes(v, reduction, across)] : inTurn(v, reduction, lanes)
}

function combine(code: Code, e: Reduce, lanes: Lanes, into: Local, other: () => void): void {
  code.get(into)
  other()
  operation(code, combining(e.op), e.t, e.t, lanes.width)
  code.set(into)
}

/** One element a turn. With several accumulators they change places, so that each turn adds to the first. */
function inTurn(v: Values, { expr: e, parts }: Value<Reduce>, lanes: Lanes): Local[] {
  const { code } = v
  const body = parts[0]!
  const count = inOrder(e) ? e.lanes : 1
  const last = e.over.at(-1)!
  const sums = Array.from({ length: count }, () => v.locals(e.t, lanes, identity(e.op, e.t)))
  const rotate = (by: number): void => {
    for (let u = 0; by > 0 && u < lanes.count; u++) {
      for (let l = 0; l < count; l++) code.get(sums[(l + by) % count]![u]!)
      for (let l = count - 1; l >= 0; l--) code.set(sums[l]![u]!)
    }
  }
  v.loops(e.over.slice(0, -1), body, [lanes], () => {
    v.loops([last], body, [lanes], () => {
      for (const [u, sum] of sums[0]!.entries()) combine(code, e, lanes, sum, () => v.push(body, lanes, u))
      rotate(1 % count)
    })
    rotate((count - (last.n % count)) % count)
  })
  for (let half = count / 2; half >= 1; half /= 2) {
    for (let l = 0; l < half; l++) {
      for (const [u, sum] of sums[l]!.entries()) combine(code, e, lanes, sum, () => code.get(sums[l + half]![u]!))
    }
  }
  return sums[0]!
}

/** Neighbours along the last axis in the lanes of vectors; the result is a single value. */
function acrossLanes(v: Values, { expr: e, parts }: Value<Reduce>, lanes: Lanes): Local {
  const { code } = v
  const body = parts[0]!
  const { width, count } = lanes
  const last = e.over.at(-1)!
  const sums = v.locals(e.t, lanes, identity(e.op, e.t))
  const vectors = (n: number): void => {
    for (let u = 0; u < n; u++) combine(code, e, lanes, sums[u]!, () => v.push(body, lanes, u))
  }
  const step = width * count
  const rest = Math.floor((last.n % step) / width)
  /** The elements that fill no vector go to the lanes of the next accumulator. */
  const tail = (lane: number): void => {
    code.get(sums[rest]!, sums[rest]!)
    extract(code, e.t, width, lane)
    v.push(body, single, 0)
    operation(code, combining(e.op), e.t, e.t, 1)
    replace(code, e.t, width, lane)
    code.set(sums[rest]!)
  }
  v.loops(e.over.slice(0, -1), body, [lanes, single], () => {
    for (const l of [lanes, single]) v.hoist(body, l, false)
    v.sweep(last, v.addresses.accesses(body, false), [
      { step, turns: Math.floor(last.n / step), body: () => vectors(count) },
      { step: rest * width, turns: rest > 0 ? 1 : 0, body: () => vectors(rest) },
      ...Array.from({ length: last.n % width }, (_, lane): Phase => ({ step: 1, turns: 1, body: () => tail(lane) })),
    ])
  })
  for (let half = count / 2; half >= 1; half /= 2) {
    for (let u = 0; u < half; u++) combine(code, e, lanes, sums[u]!, () => code.get(sums[u + half]!))
  }
  for (let half = width / 2; half >= 1; half /= 2) {
    const shift = half * laneBytes(e.t, width)
    combine(code, e, lanes, sums[0]!, () => {
      code.get(sums[0]!)
      gather(
        code,
        Array.from({ length: 16 }, (_, b) => (b + shift) % 16),
      )
    })
  }
  const result = code.local(valueType(e.t, 1))
  code.get(sums[0]!)
  extract(code, e.t, width, 0)
  code.set(result)
  return result
}

/** The loop variable at the first extreme, or at the first NaN. */
function position(v: Values, { expr: e, parts }: Value<Reduce>, lanes: Lanes): Local[] {
  const { code } = v
  const body = parts[0]!
  const { width } = lanes
  const [axis] = e.over
  const t = body.expr.t
  const best = v.locals(t, lanes, identity(e.op, t))
  const positions = v.locals("i32", lanes, 0)
  const x = code.local(valueType(t, width))
  const better = code.local(valueType("bool", width))
  const compare = (name: "lt" | "eq" | "ne", a: Local, b: Local): void => {
    code.get(a, b)
    operation(code, name, "bool", t, width)
  }
  v.loops([axis!], body, [lanes], counter => {
    best.forEach((b, u) => {
      v.push(body, lanes, u)
      code.set(x)
      if (e.op === "argmax") compare("lt", b, x)
      else compare("lt", x, b)
      compare("ne", x, x)
      compare("eq", b, b)
      operation(code, "and", "bool", "bool", width)
      operation(code, "or", "bool", "bool", width)
      code.set(better).get(x, b, better)
      operation(code, "select", t, t, width)
      code.set(b).get(counter)
      if (width > 1) splat(code, "i32", width)
      code.get(positions[u]!, better)
      operation(code, "select", "i32", "i32", width)
      code.set(positions[u]!)
    })
  })
  return positions
}
