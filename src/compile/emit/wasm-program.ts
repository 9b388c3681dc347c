// A program as code: calls of kernels one after the other, and loops around them. Kernels stay functions of their own, because V8
// replaces slow first code by fast code only when a function is called again, never inside of a running loop.

import type { FloatType } from "../../ir/expr.ts"
import type { Kernel } from "../kernel.ts"
import { align, bytesIn, type Plan, type Step } from "../plan.ts"
import type { Dealt } from "./deal.ts"
import { type Library, packedBytes } from "./gemm.ts"
import { isPackable, matchProduct, type Product, writePack } from "./gemm-kernel.ts"
import { control } from "./threads.ts"
import type { Code, Local } from "./wasm-bytes.ts"

/** Leaves the address of a buffer on the stack. */
type Address = (buffer: number) => void
type Repeat = Extract<Step, { k: "loop" }>
/** What a program calls. */
interface Functions {
  kernel(k: Kernel): number
  library(t: FloatType): Library
  dealt(k: Kernel): Dealt | undefined
  /** Hands out pieces. */
  readonly fork: number
}

/** A matrix that products in all turns of a loop read, and where the loop keeps it packed, in bytes from the start of its memory. */
interface Packed {
  readonly product: Product
  readonly matrix: number
  readonly at: number
}
/** The steps of a loop's body that read a packed matrix. */
function packedIn({ body, loop }: Repeat): { readonly steps: ReadonlyMap<Step, Packed>; readonly bytes: number } {
  const constants = new Set(body.inputs.slice(0, loop.constants))
  const steps = new Map<Step, Packed>()
  let bytes = body.arena
  for (const s of body.steps) {
    const product = s.k === "kernel" ? matchProduct(s.kernel) : undefined
    const matrix = product && s.ins[product.gemm.b.slot]!
    if (matrix === undefined || !isPackable(product!) || !constants.has(matrix)) continue
    steps.set(s, { product: product!, matrix, at: bytes })
    bytes += align(packedBytes(product!.gemm))
  }
  return { steps, bytes }
}
/** Memory of a loop: the arena of its body, and matrices that are packed before the first turn. */
export const loopBytes = (s: Repeat): number => packedIn(s).bytes

/** The function `(arena, table)`: address i of the table is that of argument i, then come the results that have memory of their own. */
export function writeProgram(plan: Plan, functions: Functions, code: Code): void {
  const [arena, table] = [0, 1]
  const entry = tableOf(plan)
  writeSteps(
    plan,
    arena,
    buffer => {
      const i = entry.indexOf(buffer)
      if (i >= 0) code.get(table).memory("i32.load", 4 * i)
      else pushPlus(code, arena, plan.buffers[buffer]!.offset)
    },
    new Map(),
    functions,
    code,
  )
}
/** The buffers whose addresses a program finds in its table. */
export const tableOf = (plan: Plan): number[] => [...plan.inputs, ...plan.outputs.filter((_, o) => plan.donated[o]! < 0)]

const pushPlus = (code: Code, base: Local, bytes: number): void => {
  code.get(base)
  if (bytes !== 0) code.i32(bytes).op("i32.add")
}

function writeSteps(
  { steps, copies, buffers }: Plan,
  arena: Local,
  address: Address,
  packed: ReadonlyMap<Step, Packed>,
  functions: Functions,
  code: Code,
): void {
  for (const s of steps) {
    if (s.k === "loop") {
      writeLoop(s, arena, address, functions, code)
      continue
    }
    const p = packed.get(s)
    const dealt = functions.dealt(s.kernel)
    if (dealt) {
      writeFork(s, dealt, arena, address, p, functions, code)
      continue
    }
    for (const b of [...s.outs, ...s.ins]) address(b)
    pushPlus(code, arena, s.scratch)
    if (p) pushPlus(code, arena, p.at)
    else code.i32(0)
    code.call(functions.kernel(s.kernel))
  }
  for (const { from, to } of copies) {
    address(to)
    address(from)
    code.i32(bytesIn(buffers[to]!)).copyMemory()
  }
}

/** A kernel in pieces: its arguments are left in the frame, a matrix that all pieces read is packed before. */
function writeFork(
  s: Extract<Step, { k: "kernel" }>,
  { deal, slot }: Dealt,
  arena: Local,
  address: Address,
  packed: Packed | undefined,
  functions: Functions,
  code: Code,
): void {
  const { turns, chunk, product, packed: bytes } = deal
  const all = [...s.outs, ...s.ins]
  all.forEach((b, i) => {
    code.i32(0)
    address(b)
    code.memory("i32.store", control.frame + 4 * i)
  })
  const library = product && functions.library(product.gemm.t)
  const own = !packed && product && bytes > 0 && !library!.asks(product.gemm)
  const to = (): void => pushPlus(code, arena, own ? s.scratch + align(product.scratch) : packed!.at)
  if (own) writePack(product, () => address(s.ins[product.gemm.b.slot]!), to, library!, code)
  code.i32(0)
  if (own || packed) to()
  else code.i32(0)
  code.memory("i32.store", control.frame + 4 * all.length)
  code.i32(slot).i32(turns).i32(chunk)
  pushPlus(code, arena, s.scratch)
  code.call(functions.fork)
}

function writeLoop(s: Repeat, outer: Local, address: Address, functions: Functions, code: Code): void {
  const { loop, body, outs, ins } = s
  const { constants, carry, length, reverse, counted, conditional } = loop
  const local = (): Local => code.local("i32")
  const [arena, left] = [local(), local()]
  pushPlus(code, outer, s.scratch)
  code.set(arena)
  if (counted) {
    address(ins.at(-1)!)
    code.memory("i32.load")
  } else code.i32(length)
  code.set(left)

  const pointers = new Map<number, Local>()
  const moves: (readonly [Local, number])[] = []
  const point = (inside: number, outside: number): Local => {
    const p = local()
    address(outside)
    code.set(p)
    if (!pointers.has(inside)) pointers.set(inside, p)
    return p
  }
  /** A pointer to the first slice, and on from there. */
  const slice = (inside: number, outside: number): void => {
    const p = point(inside, outside)
    const bytes = bytesIn(body.buffers[inside]!)
    if (reverse) code.get(p, left).i32(1).op("i32.sub").i32(bytes).op("i32.mul", "i32.add").set(p)
    moves.push([p, reverse ? -bytes : bytes])
  }
  body.inputs.forEach((b, i) => {
    if (i < constants) point(b, ins[i]!)
    else if (i < constants + carry) point(b, outs[i - constants]!)
    else slice(b, ins[i - carry]!)
  })
  body.outputs.forEach((b, o) => {
    if (o >= carry) slice(b, outs[o]!)
  })
  const packed = new Map([...packedIn(s).steps].filter(([, { product }]) => !functions.library(product.gemm.t).asks(product.gemm)))
  const going = (): void => {
    if (conditional) code.get(pointers.get(body.inputs[constants]!)!).memory("i32.load").i32(0).op("i32.ne", "i32.and")
  }
  code.get(left).i32(0).op("i32.gt_s")
  going()
  code.if(() => {
    for (const { product, matrix, at } of packed.values()) {
      const b = (): Code => code.get(pointers.get(matrix)!)
      writePack(product, b, () => pushPlus(code, arena, at), functions.library(product.gemm.t), code)
    }
    code.loop(() => {
      writeSteps(
        body,
        arena,
        b => {
          const p = pointers.get(b)
          if (p !== undefined) code.get(p)
          else pushPlus(code, arena, body.buffers[b]!.offset)
        },
        packed,
        functions,
        code,
      )
      for (const [p, bytes] of moves) code.advance(p, bytes)
      code.advance(left, -1).get(left).i32(0).op("i32.gt_s")
      going()
      code.brIf(0)
    })
  })
}
