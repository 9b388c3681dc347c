// How a kernel's pieces get to threads. The thread that runs the program hands them out (`fork`) and takes part; the others wait for work
// (`work`). A piece is claimed by counting up one word, so that a piece nobody has begun is never waited for.

import { MOST_ARGUMENTS } from "./deal.ts"
import type { Code, Local, ValueType } from "./wasm-bytes.ts"
import { WasmModule } from "./wasm-bytes.ts"

/** Most threads beside the one that runs programs. */
export const MOST_WORKERS = 63

/** Where in memory what threads share lies, in bytes. What is written often by different threads has cache lines of its own. */
export const control = {
  /** Pieces of the kernel in hand (upper 16 bits) and of those the first that nobody has claimed, or any larger number. */
  job: 64,
  /** Pieces that workers have finished, and whether the thread that waits for them sleeps. */
  done: 128,
  waiting: 132,
  /** Counted up to wake workers, and how many of them sleep. */
  wake: 192,
  sleeping: 196,
  /** Workers that are ready; while there are none, no work is handed out. */
  workers: 256,
  /** How many modules there are, so that a worker sees that there are new ones. */
  modules: 260,
  /** The kernel in hand: its place in the table, turns, and turns of a piece. */
  slot: 264,
  turns: 268,
  chunk: 272,
  /** The record of the first module: address of the next one or 0, bytes, and the module itself. */
  first: 276,
  /** Its arguments. */
  frame: 320,
  /** For each worker the address of its scratch memory. */
  scratch: 320 + 4 * MOST_ARGUMENTS,
  /** For each worker how many modules it has. */
  loaded: 320 + 4 * MOST_ARGUMENTS + 4 * (MOST_WORKERS + 1),
  end: 320 + 4 * MOST_ARGUMENTS + 8 * (MOST_WORKERS + 1),
} as const

/** `(from, to, scratch) => void`: some turns of the kernel whose arguments are in the frame. */
export const pieceParams: readonly ValueType[] = ["i32", "i32", "i32"]
/** `fork(slot, turns, chunk, scratch)` runs all turns of a kernel, in pieces. */
export const forkParams: readonly ValueType[] = ["i32", "i32", "i32", "i32"]

/** How often a thread looks for work, or whether others are done, before it goes to sleep: some 50 us. */
const SPINS = 10_000

/**
 * A module with `fork` and `work(worker)`, which never returns. It imports `lib.stall(pieces)`, which waits until workers have finished so
 * many pieces, and `lib.load()`, which loads the modules that a worker does not have yet.
 */
export function emitThreads(shared: boolean): Uint8Array<ArrayBuffer> {
  const module = new WasmModule({ shared, table: true })
  const stall = module.import("stall", ["i32"])
  const load = module.import("load", [])
  const piece = module.type(pieceParams)
  module.function("fork", forkParams, code => writeFork(code, piece, stall))
  module.function("work", ["i32"], code => writeWork(code, piece, load))
  return module.bytes()
}

/** Calls a piece: `chunk` turns from `index * chunk` on. */
function pushPiece(
  code: Code,
  piece: number,
  index: Local,
  { slot, turns, chunk }: Record<"slot" | "turns" | "chunk", Local>,
  scratch: () => void,
): void {
  const [from, to] = [code.local("i32"), code.local("i32")]
  code.get(index, chunk).op("i32.mul").tee(from).get(chunk).op("i32.add").set(to)
  code.get(from).get(to, turns, to, turns).op("i32.lt_s", "select")
  scratch()
  code.get(slot).callIndirect(piece)
}

function writeFork(code: Code, piece: number, stall: number): void {
  const [slot, turns, chunk, scratch] = [0, 1, 2, 3]
  const [pieces, index, own, left] = [0, 0, 0, 0].map(() => code.local("i32")) as [Local, Local, Local, Local]
  const call = (): void => pushPiece(code, piece, index, { slot, turns, chunk }, () => code.get(scratch))
  code.get(turns, chunk).op("i32.add").i32(1).op("i32.sub").get(chunk).op("i32.div_u").set(pieces)
  code.i32(0).atomic("i32.atomic.load", control.workers)
  code.if(
    () => {
      for (const [at, local] of [
        [control.slot, slot],
        [control.turns, turns],
        [control.chunk, chunk],
      ] as const)
        code.i32(0).get(local).memory("i32.store", at)
      code.i32(0).i32(0).atomic("i32.atomic.store", control.done)
      code.i32(0).get(pieces).i32(16).op("i32.shl").atomic("i32.atomic.store", control.job)
      code.i32(0).atomic("i32.atomic.load", control.sleeping)
      code.if(() => {
        code.i32(0).i32(1).atomic("i32.atomic.rmw.add", control.wake).drop()
        code.i32(0).i32(-1).atomic("memory.atomic.notify", control.wake).drop()
      })
      code.block(() =>
        code.loop(() => {
          code.i32(0).i32(1).atomic("i32.atomic.rmw.add", control.job).i32(0xffff).op("i32.and").tee(index)
          code.get(pieces).op("i32.ge_s").brIf(1)
          call()
          code.advance(own, 1).br(0)
        }),
      )
      // the pieces that workers have claimed
      code.get(pieces, own).op("i32.sub").set(own).i32(SPINS).set(left)
      code.block(() => {
        code.loop(() => {
          code.i32(0).atomic("i32.atomic.load", control.done).get(own).op("i32.eq").brIf(1)
          code.advance(left, -1).get(left).brIf(0)
        })
        code.get(own).call(stall)
      })
    },
    () =>
      code.loop(() => {
        call()
        code.advance(index, 1).get(index, pieces).op("i32.lt_s").brIf(0)
      }),
  )
}

function writeWork(code: Code, piece: number, load: number): void {
  const worker = 0
  const [job, index, left, awake, slot, turns, chunk] = Array.from({ length: 7 }, () => code.local("i32")) as [
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
  ]
  const pushOwn = (): Code => code.get(worker).i32(4).op("i32.mul")
  /** Whether a piece is left of the job on the stack. */
  const pushLeft = (): Code => code.tee(job).i32(0xffff).op("i32.and").tee(index).get(job).i32(16).op("i32.shr_u").op("i32.lt_s")
  code.loop(() => {
    code.i32(0).atomic("i32.atomic.load", control.wake).set(awake)
    code.i32(SPINS).set(left)
    code.loop(() => {
      code.i32(0).atomic("i32.atomic.load", control.job)
      pushLeft()
      code.if(() => {
        code.i32(0).i32(1).atomic("i32.atomic.rmw.add", control.job)
        pushLeft()
        code.if(() => {
          pushOwn().memory("i32.load", control.loaded)
          code.i32(0).atomic("i32.atomic.load", control.modules).op("i32.ne")
          code.if(() => code.call(load))
          for (const [at, local] of [
            [control.slot, slot],
            [control.turns, turns],
            [control.chunk, chunk],
          ] as const)
            code.i32(0).memory("i32.load", at).set(local)
          pushPiece(code, piece, index, { slot, turns, chunk }, () => pushOwn().memory("i32.load", control.scratch))
          code.i32(0).i32(1).atomic("i32.atomic.rmw.add", control.done).drop()
          code.i32(0).atomic("i32.atomic.load", control.waiting)
          code.if(() => code.i32(0).i32(1).atomic("memory.atomic.notify", control.done).drop())
          code.i32(SPINS).set(left)
        })
      })
      code.advance(left, -1).get(left).brIf(0)
    })
    // whoever hands out work after this looks whether somebody sleeps
    code.i32(0).i32(1).atomic("i32.atomic.rmw.add", control.sleeping).drop()
    code.i32(0).atomic("i32.atomic.load", control.job)
    pushLeft().op("i32.eqz")
    code.if(() => code.i32(0).get(awake).i64(-1n).atomic("memory.atomic.wait32", control.wake).drop())
    code.i32(0).i32(-1).atomic("i32.atomic.rmw.add", control.sleeping).drop()
    code.br(0)
  })
}
