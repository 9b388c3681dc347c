// Kernels made of a matrix product: loops around calls of the library, and what becomes of its elements.
import { type Axis, axisIndex, dependsOn, type Index, newAxis, ravel, stride } from "../../ir/affine.ts"
import { type Expr, indicesOf, type MemoryType, once, reach, rebuild } from "../../ir/expr.ts"
import { type Kernel, rootsOf, storesOf, turns, withStores } from "../kernel.ts"
import { loops, rewrite } from "../loops.ts"
import { align } from "../plan.ts"
import { gemmScratch, type Library, packedBytes } from "./gemm.ts"
import { blasForm } from "./gemm-blas.ts"
import { type Gemm, type GemmAxis, matchGemm } from "./gemm-match.ts"
import { prepare, writePrepare } from "./gemm-prepare.ts"
import type { Code, Local } from "./wasm-bytes.ts"
import { type Places, writeKernel } from "./wasm-kernel.ts"
import { byteSize } from "./wasm-ops.ts"
import type { Range } from "./wasm-values.ts"

/** A kernel whose elements are made of those of one matrix product. */
export interface Product {
  readonly gemm: Gemm
  /** What is done with the product, which is the last operand here; absent where the product itself is the result. */
  readonly epilogue?: Kernel
  /** Bytes of the product, if it is kept in scratch memory, and of all scratch memory. */
  readonly bytes: number
  readonly scratch: number
  /** A large product is made and used up rows by rows, while they are in the cache; `gemm` and `epilogue` are those of some rows. */
  readonly strips?: Strips
}
interface Strips {
  readonly count: number
  /** By how many bytes the product's operand A, the results and the epilogue's operands move from strip to strip. */
  readonly a: number
  readonly outs: readonly number[]
  readonly operands: readonly number[]
  /** Bytes of the packed operand B. */
  readonly packed: number
}

/** Loops have done fewer multiplications than this before the library has packed its operands. */
const SMALL = 64
/** A product of fewer bytes stays in the second cache until it is used, and so does a matrix B. */
const CACHED = 128 * 1024
/** Most of a strip. */
const STRIP = 64 * 1024
/** Rows that the library computes together. */
const ROWS = 8

/** The matrix product in the kernel, if there is exactly one reduction and the library does it faster than loops would. */
export function matchProduct(kernel: Kernel): Product | undefined {
  if (!matches.has(kernel)) matches.set(kernel, findProduct(kernel))
  return matches.get(kernel)
}
// memory is planned before code is written, and both ask
const matches = new WeakMap<Kernel, Product | undefined>()

/** The product in a form whose turns can be dealt out, and how many there are: turns of the kernel's outermost loop, or strips. */
export function dealtProduct(kernel: Kernel): (Product & { readonly turns: number; readonly rows: number }) | undefined {
  const whole = matchProduct(kernel)
  if (!whole || whole.strips) return whole && { ...whole, turns: whole.strips!.count, rows: whole.gemm.m.n }
  const product = whole.epilogue ? findProduct(kernel, 1) : whole
  const [axis] = kernel.axes
  const dealt = product && dealtAxis(product.gemm)
  if (!axis || !dealt || (product.epilogue && product.epilogue.axes[0]?.n !== axis.n)) return undefined
  const inLibrary = dealt === product.gemm.m || dealt === product.gemm.n
  return { ...product, turns: axis.n, rows: inLibrary ? dealt.dealt! : Number.POSITIVE_INFINITY }
}
const dealtAxis = ({ m, n, loops }: Gemm): GemmAxis | undefined => [m, n, ...loops].find(axis => (axis.dealt ?? 0) > 0)

function findProduct(kernel: Kernel, keptLoops?: number): Product | undefined {
  const [product, ...others] = reach(storesOf(kernel).map(s => s.body)).filter(e => e.k === "reduce")
  if (!product || others.length > 0) return undefined
  const { axes, loads, out, also } = kernel
  if (turns(axes) * turns(product.over) < SMALL) return undefined
  if (kernel.body === product && !also) {
    const gemm = matchGemm(kernel)
    return gemm && { gemm, bytes: 0, scratch: scratchOf(gemm) }
  }
  if (out.mode !== "store") return undefined
  const at = ravel(
    axes.map(axisIndex),
    axes.map(a => a.n),
  )
  const gemm = matchGemm({ axes, loads, out: { t: product.t, at, mode: "store", bounds: [] }, body: product })
  if (!gemm) return undefined
  const load: Expr = { k: "load", t: product.t, slot: loads.length, at }
  const part: (e: Expr) => Expr = once(e => (e === product ? load : rebuild(e, { part })))
  const stores = storesOf(kernel).map(s => ({ ...s, body: part(s.body) }))
  const epilogue = loops(withStores({ ...kernel, loads: [...loads, product.t] }, stores), keptLoops)
  const bytes = align(turns(axes) * byteSize(product.t))
  const whole = { gemm, epilogue, bytes, scratch: scratchOf(gemm) + bytes }
  return inStrips(whole) ?? whole
}

/** Bytes that the calls for a product want, with its operand B if that is packed ahead of them. */
function scratchOf(gemm: Gemm): number {
  const prepared = prepare(gemm)
  return prepared ? align(prepared.bytes) + gemmScratch(prepared.gemm) : gemmScratch(gemm)
}

/** The product strip by strip, if it is large and the epilogue can follow. */
function inStrips(whole: Product): Product | undefined {
  const { gemm, epilogue, bytes } = whole as Product & { epilogue: Kernel }
  const { t, m, n, c } = gemm
  const packed = align(packedBytes(gemm))
  const row = n.n * byteSize(t)
  if (!isPackable(whole) || bytes <= CACHED || packed > CACHED || n.c !== 1 || m.c !== n.n || c.start !== 0) return undefined
  let rows = Math.floor(STRIP / row / ROWS) * ROWS
  while (rows > 0 && m.n % rows) rows -= ROWS
  const [axis, ...inner] = epilogue.axes
  const turned = (rows * n.n) / turns(inner)
  if (rows <= 0 || !axis || !Number.isInteger(turned)) return undefined
  const steps = stepsOf(epilogue, axis)
  // the epilogue must come to the product's elements in their order
  if (steps?.operands.at(-1) !== turns(inner) * byteSize(t)) return undefined
  const by = (list: readonly number[]): number[] => list.map(step => step * turned)
  const shorter = newAxis(turned)
  const part = rewrite(
    epilogue,
    a => axisIndex(a.id === axis.id ? shorter : a),
    all => all.map(a => (a.id === axis.id ? shorter : a)),
  )
  const strips = { count: m.n / rows, a: rows * m.a * byteSize(t), outs: by(steps.outs), operands: by(steps.operands), packed }
  const some = { ...gemm, m: { ...m, n: rows } }
  return { gemm: some, epilogue: part, bytes: align(rows * row), scratch: gemmScratch(some) + align(rows * row) + packed, strips }
}
/** How many bytes each result and operand moves with each turn of the loop, if that is all that changes. */
function stepsOf(k: Kernel, axis: Axis): Pick<Strips, "outs" | "operands"> | undefined {
  const exprs = reach(rootsOf(k))
  const fixed = [...storesOf(k).flatMap(s => s.out.bounds.map(b => b.i)), ...exprs.flatMap(e => (e.k === "load" ? [] : indicesOf(e)))]
  if (fixed.some(i => dependsOn(i, axis))) return undefined
  const step = (t: MemoryType, indices: readonly Index[]): number => {
    const [first = 0, ...others] = indices.map(i => stride(i, axis) ?? Number.NaN)
    return others.every(s => s === first) ? first * byteSize(t) : Number.NaN
  }
  const outs = storesOf(k).map(({ out }) => step(out.t, [out.at]))
  const readsOf = (slot: number): Index[] => exprs.flatMap(e => (e.k === "load" && e.slot === slot ? [e.at] : []))
  const operands = k.loads.map((t, slot) => step(t, readsOf(slot)))
  return [...outs, ...operands].every(Number.isInteger) ? { outs, operands } : undefined
}

/** Whether all calls for the product read the same matrix B, so that it may be packed once for many products. */
export const isPackable = ({ gemm }: Product): boolean => gemm.loops.length === 0 && gemm.sums.length === 0
/** Packs B, at `b`, to `to`; both leave an address on the stack. */
export function writePack({ gemm }: Product, b: () => void, to: () => void, library: Library, code: Code): void {
  const size = byteSize(gemm.t)
  code.i32(gemm.n.n).i32(gemm.k.n)
  b()
  code
    .i32(gemm.b.start * size)
    .op("i32.add")
    .i32(gemm.k.b * size)
    .i32(gemm.n.b * size)
  to()
  code.call(library.pack)
}

/** What the code of a product is written with. */
export interface ProductContext {
  /** Where scratch memory begins. */
  readonly scratch: Local
  /** The address of the packed matrix B, or 0; absent where B is packed at the place that it has in each turn. */
  readonly packed?: Local
  readonly library: Library
  readonly code: Code
  /** Some of the turns of `dealtProduct`; absent for all. */
  readonly range?: Range | undefined
}

export function writeProduct(product: Product, places: Places, context: ProductContext): void {
  const { gemm, epilogue, bytes, strips } = product
  const { scratch, code, range } = context
  if (!epilogue) {
    writeCalls(gemm, places.operands, places.outs[0]!, context)
    return
  }
  // the product lies in front of the library's scratch memory
  const rest = code.local("i32")
  code.get(scratch).i32(bytes).op("i32.add").set(rest)
  const behind = { ...context, scratch: rest }
  if (strips) {
    writeStrips({ ...product, epilogue, strips }, places, scratch, behind)
    return
  }
  // of some turns no more is kept than theirs: the first one's is in front
  const elements = code.local("i32")
  code.get(scratch)
  if (range)
    code
      .get(range.from)
      .i32(turns(epilogue.axes.slice(1)) * byteSize(gemm.t))
      .op("i32.mul", "i32.sub")
  code.set(elements)
  writeCalls(gemm, places.operands, elements, behind)
  writeKernel(epilogue, { ...places, operands: [...places.operands, elements] }, code, range)
}

type InStrips = Product & { readonly epilogue: Kernel; readonly strips: Strips }

function writeStrips(product: InStrips, places: Places, strip: Local, { scratch, packed, library, code, range }: ProductContext): void {
  const { gemm, epilogue, strips } = product
  const copy = (from: Local): Local => {
    const to = code.local("i32")
    code.get(from).set(to)
    return to
  }
  const [rest, b, left] = [copy(scratch), copy(packed!), code.local("i32")]
  if (!library.asks(gemm)) {
    code.get(b).op("i32.eqz")
    code.if(() => {
      code.get(rest).set(b).advance(rest, strips.packed)
      const matrix = (): Code => code.get(places.operands[gemm.b.slot]!)
      writePack(product, matrix, () => code.get(b), library, code)
    })
  }
  const factors = places.operands.map((p, slot) => (slot === gemm.a.slot ? copy(p) : p))
  const outs = places.outs.map(copy)
  const operands = [...places.operands.map(copy), strip]
  const moved = (): (readonly [Local, number])[] => [
    [factors[gemm.a.slot]!, strips.a],
    ...outs.map((p, i) => [p, strips.outs[i]!] as const),
    ...operands.slice(0, -1).map((p, i) => [p, strips.operands[i]!] as const),
  ]
  if (range) {
    for (const [p, bytes] of moved()) code.get(p, range.from).i32(bytes).op("i32.mul", "i32.add").set(p)
    code.get(range.to, range.from).op("i32.sub").set(left)
  } else code.i32(strips.count).set(left)
  code.loop(() => {
    writeCalls(gemm, factors, strip, { scratch: rest, packed: b, library, code })
    writeKernel(epilogue, { outs, operands }, code)
    for (const [p, bytes] of moved()) code.advance(p, bytes)
    code.advance(left, -1).get(left).brIf(0)
  })
}

function writeCalls(gemm: Gemm, operands: readonly Local[], to: Local, context: ProductContext): void {
  const { scratch, library, code, range } = context
  const prepared = library.asks(gemm) ? undefined : prepare(gemm)
  if (!prepared) {
    writeNest(gemm, operands, to, context)
    return
  }
  writePrepare(prepared, gemm, operands[gemm.b.slot]!, scratch, library, code)
  const rest = code.local("i32")
  code.get(scratch).i32(align(prepared.bytes)).op("i32.add").set(rest)
  const factors = operands.map((p, slot) => (slot === gemm.b.slot ? scratch : p))
  writeNest(prepared.gemm, factors, to, { scratch: rest, library, code, range })
}

function writeNest(gemm: Gemm, operands: readonly Local[], to: Local, { scratch, packed, library, code, range }: ProductContext): void {
  const { t, a, b, c, m, n, k, loops, sums } = gemm
  const size = byteSize(t)
  const moved = (base: Local, elements: number): Local => {
    const pointer = code.local("i32")
    const bytes = elements * size
    code.get(base).i32(bytes).op("i32.add").set(pointer)
    return pointer
  }
  const dealt = range && dealtAxis(gemm)
  /** Where the range begins: from there on the loop runs. */
  const started = (base: Local, elements: number, step: keyof Pick<GemmAxis, "a" | "b" | "c">): Local => {
    const pointer = moved(base, elements)
    if (dealt)
      code
        .get(pointer, range.from)
        .i32(dealt.dealt! * dealt[step] * size)
        .op("i32.mul", "i32.add")
        .set(pointer)
    return pointer
  }
  const pushTurns = (axis: GemmAxis): Code =>
    axis === dealt ? code.get(range!.to, range!.from).op("i32.sub").i32(axis.dealt!).op("i32.mul") : code.i32(axis.n)
  const form = library.asks(gemm) ? blasForm(gemm) : undefined
  const counters: Local[] = []
  const pushAdds = (): void => {
    code.i32(0)
    for (const i of counters) code.get(i).op("i32.or")
    code.i32(0).op("i32.ne")
  }
  const nest = (axes: readonly GemmAxis[], outer: readonly Local[]): void => {
    const [axis, ...inner] = axes
    if (!axis && form) {
      const [at, from, to] = outer as [Local, Local, Local]
      code.i32(Number(form.transA)).i32(Number(form.transB))
      for (const axis of [m, n, k]) pushTurns(axis)
      code.get(at).i32(form.lda).get(from).i32(form.ldb)
      pushAdds()
      code.get(to).i32(form.ldc).call(library.blas!)
      return
    }
    if (!axis) {
      const steps = [m.a, k.a, k.b, n.b, m.c, n.c].map(elements => elements * size)
      for (const axis of [m, n, k]) pushTurns(axis)
      for (const [i, pointer] of outer.entries())
        code
          .get(pointer)
          .i32(steps[2 * i]!)
          .i32(steps[2 * i + 1]!)
      code.get(scratch)
      pushAdds()
      code.get(packed ?? outer[1]!).call(library.gemm)
      return
    }
    const pointers = outer.map(p => moved(p, 0))
    const counter = code.local("i32")
    if (sums.includes(axis)) counters.push(counter)
    code.i32(0).set(counter)
    code.loop(() => {
      nest(inner, pointers)
      for (const [i, elements] of [axis.a, axis.b, axis.c].entries()) code.advance(pointers[i]!, elements * size)
      code.advance(counter, 1).get(counter)
      pushTurns(axis).op("i32.lt_s").brIf(0)
    })
  }
  nest([...loops, ...sums], [started(operands[a.slot]!, a.start, "a"), started(operands[b.slot]!, b.start, "b"), started(to, c.start, "c")])
}
