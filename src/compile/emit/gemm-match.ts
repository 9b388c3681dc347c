// Which kernels are matrix products, read off their index maps: transposes, permutes, broadcasts and batches of either operand
// are nothing but other strides.
import { type Axis, type Index, stride } from "../../ir/affine.ts"
import { type Expr, type FloatType, isFloat } from "../../ir/expr.ts"
import type { Kernel } from "../kernel.ts"
import { Facts, outputLanes } from "./wasm-facts.ts"

/** A loop, and how far a turn moves in the operands and in the output, in elements. */
export interface GemmAxis {
  readonly n: number
  readonly a: number
  readonly b: number
  readonly c: number
  /** Turns for one of the kernel's outermost loop, where that is part of this one; absent in other loops. */
  readonly dealt?: number
}

/** c[m, n] = sum over k of a[m, k] * b[k, n], at every turn of `loops`; the turns of `sums` add to the same c, in order. */
export interface Gemm {
  readonly t: FloatType
  readonly a: { readonly slot: number; readonly start: number }
  readonly b: { readonly slot: number; readonly start: number }
  readonly c: { readonly start: number }
  readonly m: GemmAxis
  readonly n: GemmAxis
  readonly k: GemmAxis
  readonly loops: readonly GemmAxis[]
  readonly sums: readonly GemmAxis[]
}

type Load = Extract<Expr, { k: "load" }>

/** The matrix product that the kernel is, if it is one and the library does it faster than loops would. */
export function matchGemm(kernel: Kernel): Gemm | undefined {
  const { out, body } = kernel
  if (out.mode !== "store" || out.bounds.length > 0) return undefined
  if (body.k !== "reduce" || body.op !== "sum" || body.lanes !== 1 || !isFloat(body.t)) return undefined
  const product = body.body
  if (product.k !== "op" || product.op !== "mul") return undefined
  const [x, y] = product.args
  if (x?.k !== "load" || y?.k !== "load") return undefined
  if ([x.at, y.at, out.at].some(i => i.terms.some(([a]) => a.k !== "axis"))) return undefined
  if ([...kernel.axes, ...body.over].some(axis => axis.n === 0)) return undefined
  const straight = arrange(kernel, body.t, body.over, x, y)
  // The columns are those neighbours that lie side by side in the output.
  const found = straight?.n.c === 1 ? straight : (arrange(kernel, body.t, body.over, y, x) ?? straight)
  return found && isWorthwhile(kernel, found) ? found : undefined
}

/** Terms of each of several sums, as of a convolution, that make up for packing where loops are vectors. */
const LEAST_K = 8

/**
 * Whether the library is faster than loops would be, as measured in docs/notes/02-gemm.md. Loops that read both operands vector by
 * vector lose little to it, and nothing if there are just a row or two; loops that gather elements lose much. Vectors run along the
 * columns, or along batches that lie side by side in all three matrices, and columns apart in the output.
 */
function isWorthwhile(kernel: Kernel, { m, n, k, sums }: Gemm): boolean {
  if (Math.max(m.n, n.n) < 4) return false
  const products = m.n * n.n * k.n
  const vectors = (n.b === 1 || n.c !== 1) && outputLanes(kernel, new Facts(kernel))
  return vectors ? products >= 2048 && Math.min(m.n, n.n) > 2 && k.n >= (sums.length > 0 ? LEAST_K : 2) : products >= 256
}

function arrange(kernel: Kernel, t: FloatType, over: readonly Axis[], x: Load, y: Load): Gemm | undefined {
  const steps = (axis: Axis): GemmAxis => ({ n: axis.n, a: step(x.at, axis), b: step(y.at, axis), c: step(kernel.out.at, axis) })
  const axes = kernel.axes.filter(axis => axis.n > 1).map((axis, i) => (i === 0 ? { ...steps(axis), dealt: 1 } : steps(axis)))
  if (axes.some(s => s.a === 0 && s.b === 0)) return undefined
  const order = (list: GemmAxis[]): GemmAxis[] => merge(list.sort((p, q) => Math.abs(q.c) - Math.abs(p.c)))
  const rows = order(axes.filter(s => s.b === 0))
  const columns = order(axes.filter(s => s.a === 0))
  const batch = order(axes.filter(s => s.a !== 0 && s.b !== 0))
  const sums = merge(over.filter(axis => axis.n > 1).map(steps))
  const m = longest(rows)
  const n = columns.find(s => s.c === 1) ?? longest(columns)
  const k = sums.at(-1) ?? one
  return {
    t,
    a: { slot: x.slot, start: x.at.constant },
    b: { slot: y.slot, start: y.at.constant },
    c: { start: kernel.out.at.constant },
    m,
    n,
    k,
    loops: [...batch, ...rows, ...columns].filter(s => s !== m && s !== n),
    sums: sums.slice(0, -1),
  }
}

const one: GemmAxis = { n: 1, a: 0, b: 0, c: 0 }
const step = (i: Index, axis: Axis): number => stride(i, axis) ?? 0
const longest = (axes: readonly GemmAxis[]): GemmAxis => axes.reduce((best, s) => (s.n > best.n ? s : best), one)

/** Neighbouring loops, outer before inner, that are one loop in all maps. */
function merge(axes: readonly GemmAxis[]): GemmAxis[] {
  const out: GemmAxis[] = []
  for (const inner of axes) {
    const outer = out.at(-1)
    const together = outer && outer.a === inner.n * inner.a && outer.b === inner.n * inner.b && outer.c === inner.n * inner.c
    if (together) out[out.length - 1] = { ...inner, n: outer.n * inner.n, ...dealtTogether(outer, inner) }
    else out.push(inner)
  }
  return out
}
/** What is left of `dealt` when loops are merged: the outermost loop of the kernel has to stay the slower one. */
function dealtTogether(outer: GemmAxis, inner: GemmAxis): Pick<GemmAxis, "dealt"> {
  if (outer.dealt !== undefined) return { dealt: outer.dealt * inner.n }
  return inner.dealt === undefined ? {} : { dealt: Number.NaN }
}
