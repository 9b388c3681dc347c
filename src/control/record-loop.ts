// From a function of carry and slice to the body of a loop, with what is wrong with it in words.
import { type Aval, differentiable, sameShape, shaped, show } from "../core/aval.ts"
import { DtypeError, ShapeError } from "../core/errors.ts"
import { Tensor } from "../core/tensor.ts"
import { describe, leaves, paths, rebuild, type Tree } from "../core/tree.ts"
import { intern } from "../graph/key.ts"
import { record } from "../graph/record.ts"
import { cast } from "../primitives/elementwise.ts"
import type { Scan } from "./scan-primitive.ts"

interface Turns {
  readonly length?: number
  readonly reverse?: boolean
}
type Body = (carry: any, x: any) => readonly [any, any]

/** The body of a loop recorded, and the operands for it: what it takes from outside, the first carry, the stacks. */
export function recordLoop(
  f: Body,
  init: Tree,
  xs: Tree,
  options: Turns,
  call: "scan" | "whileLoop" = "scan",
): { operands: Tensor[]; p: Scan; result: (outs: readonly Tensor[]) => any } {
  if (typeof f !== "function") throw new TypeError(`scan: the first argument is a function of carry and x; got ${kindOf(f)}`)
  const stacks = leaves(xs)
  const length = lengthOf(stacks, options)
  const slices = stacks.map(({ aval }) => shaped(aval.shape.slice(1), aval))
  const first = leaves(init)
  // a while loop hands on its condition, too
  const names = paths(init).map(path => (call === "scan" ? path : path.replace(/^1\.?/, "")))
  let out!: readonly [Tree, Tree]
  const body = (ins: readonly Tensor[]): Tensor[] => {
    out = f(rebuild(init, ins), rebuild(xs, ins.slice(first.length)))
    wantPair(out)
    wantStructure("scan: f", init, out[0])
    return [...leaves(out[0]).map((x, i) => settle(call, x, first[i]!.aval, names[i]!)), ...leaves(out[1])]
  }
  for (;;) {
    const { graph, captured } = record(body, [...first.map(x => x.aval), ...slices])
    // a number as init takes the dtype that the first turn gives it
    const odd = first.findIndex((x, i) => x.aval.weak && !graph.outputs[i]!.aval.weak)
    if (odd >= 0) {
      first[odd] = cast(first[odd]!, graph.outputs[odd]!.aval.dtype)
      continue
    }
    const n = first.length + stacks.length
    const inputs = [...graph.inputs.slice(n), ...graph.inputs.slice(0, n)]
    const sizes = { constants: captured.length, carry: first.length }
    return {
      operands: [...captured, ...first, ...stacks],
      p: { graph: intern({ ...graph, inputs }), length, ...sizes, reverse: options.reverse ?? false, counted: false, conditional: false },
      result: outs => rebuild(out, outs),
    }
  }
}

export function lengthOf(stacks: readonly Tensor[], { length }: Turns): number {
  const given = stacks.map(x => x.aval)
  const scalar = given.find(a => a.shape.length === 0)
  if (scalar)
    throw new ShapeError("scan", "xs are read in slices along axis 0, which a scalar does not have; let f take it from outside", [scalar])
  if (length !== undefined && !(Number.isInteger(length) && length >= 0))
    throw new TypeError(`scan: length is a whole number >= 0; got ${length}`)
  const n = length ?? given[0]?.shape[0]
  if (n === undefined) throw new TypeError("scan: without xs the number of turns must be given, as in scan(f, init, null, { length: 10 })")
  if (given.some(a => a.shape[0] !== n))
    throw new ShapeError(
      "scan",
      length === undefined ? "xs must have one length along axis 0" : `xs must have length ${n} along axis 0`,
      given,
    )
  return n
}

export const kindOf = (x: unknown): string => {
  if (x instanceof Tensor) return show(x.aval)
  if (Array.isArray(x)) return `an array of ${x.length}`
  return x instanceof Promise ? "a Promise" : x === null ? "null" : typeof x
}
function wantPair(out: unknown): void {
  if (Array.isArray(out) && out.length === 2) return
  throw new TypeError(
    `scan: f must return [carry, y]; it returned ${kindOf(out)}. ` +
      (out instanceof Promise ? "It must not be async" : "Where there is nothing to stack, return [carry, null]"),
  )
}

/** The tree without what its leaves are. */
export const structure = (t: Tree): string => {
  const blank = leaves(t).map(() => 0)
  return describe(rebuild(t, blank))
}
export function wantStructure(call: string, init: Tree, carry: Tree): void {
  if (structure(carry) !== structure(init))
    throw new TypeError(`${call} must return a carry with the structure of init, ${describe(init)}; it returned ${describe(carry)}`)
}

/** The carry that goes on, as it came in; numbers take its dtype. */
function settle(call: string, x: Tensor, wanted: Aval, path: string): Tensor {
  const carry = path ? `the carry ${path}` : "the carry"
  const text = `${carry} must stay ${show(wanted)} in every turn`
  if (!sameShape(x.shape, wanted.shape)) throw new ShapeError(call, `${text}; make init of the shape that f returns`, [x.aval])
  if (x.aval.weak && !wanted.weak && differentiable(wanted)) return cast(x, wanted.dtype)
  if (x.dtype !== wanted.dtype && !(wanted.weak && differentiable(x.aval))) throw new DtypeError(call, text, [x.aval])
  return x
}
