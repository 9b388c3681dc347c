// Loops written out: what compiled ones are compared with.
import type { Aval, Shape } from "../src/core/aval.ts"
import type { Loop } from "../src/core/primitive.ts"
import type { Tensor } from "../src/core/tensor.ts"
import { type Apply, avals, type Graph, memo } from "../src/graph/graph.ts"
import { derive, replay } from "../src/graph/record.ts"
import { broadcast, full, zeros } from "../src/primitives/base.ts"
import { lt, select } from "../src/primitives/elementwise.ts"
import { concat, reshape, slice } from "../src/primitives/structure.ts"

const stackedAval = (a: Aval, n: number): Aval => ({ ...a, shape: [n, ...a.shape] })

/** Slice `t` along axis 0. */
const turn = (x: Tensor, t: number): Tensor => {
  const shape = x.shape.slice(1)
  return reshape(slice(x, { start: x.shape.map((_, d) => (d === 0 ? t : 0)), shape: [1, ...shape] }), shape)
}
const everywhere = (x: Tensor, shape: Shape): Tensor =>
  broadcast(
    x,
    shape,
    shape.map((_, d) => d),
  )
/** Joined along axis 0 in pairs: the depth of the expression grows with the logarithm only. */
function join(xs: readonly Tensor[]): Tensor {
  if (xs.length === 1) return xs[0]!
  const half = xs.length >> 1
  return concat([join(xs.slice(0, half)), join(xs.slice(half))], 0)
}

const unrolled = memo((g: Graph, length: number, constants: number, carry: number, reverse: boolean, counted: boolean): Graph => {
  const xs = g.inputs.slice(constants + carry)
  const stacks = g.outputs.slice(carry)
  const turns = { shape: [], dtype: "i32" } as const
  const ins = [...avals(g.inputs.slice(0, constants + carry)), ...xs.map(x => stackedAval(x.aval, length)), ...(counted ? [turns] : [])]
  return derive(operands => {
    const rows: Tensor[][] = stacks.map(() => [])
    let state = operands.slice(constants, constants + carry)
    for (let k = 0; k < length; k++) {
      const t = reverse ? length - 1 - k : k
      const step = xs.map((_, i) => turn(operands[constants + carry + i]!, t))
      const outs = replay(g, [...operands.slice(0, constants), ...state, ...step])
      // a turn that is one too many changes nothing
      const goesOn = counted ? lt(full([], k, "i32"), operands.at(-1)!) : null
      state = state.map((before, i) => (goesOn ? select(everywhere(goesOn, before.shape), outs[i]!, before) : outs[i]!))
      rows.forEach((r, i) => r[reverse ? "unshift" : "push"](reshape(outs[carry + i]!, [1, ...outs[carry + i]!.shape])))
    }
    return [...state, ...rows.map((r, i) => (r.length ? join(r) : zeros(stackedAval(stacks[i]!.aval, 0))))]
  }, ins)
})

/** A loop written out turn by turn: what loops are tested against. */
export const unroll = (p: Loop): Graph => unrolled(p.graph as Graph, p.length, p.constants, p.carry, p.reverse, p.counted)

/** The graph with its loops written out; loops within loops stay. */
export function withoutLoops(g: Graph): Graph {
  const isLoop = (n: Apply): boolean => n.prim.meaning.kind === "loop"
  return {
    ...g,
    nodes: g.nodes.map(n => (isLoop(n) ? { ...n, prim: { ...n.prim, body: (p: Loop) => ({ name: "", graph: unroll(p) }) } } : n)),
  }
}
