// The default preset: WebAssembly SIMD, and JavaScript for small work.
import { allowRelaxedSimd, blasOn, startWorker, threadsHere } from "#host"
import { relaxedSupported } from "../compile/emit/wasm.ts"
import { installBottom } from "../core/tensor.ts"
import { installMethods } from "../ops/methods.ts"
import { installStorage } from "../ops/storage.ts"
import { Eager } from "../runtime/eager.ts"
import { Heap } from "../runtime/heap.ts"
import { JsEngine } from "../runtime/js-engine.ts"
import { Compiler, installCompiler } from "../runtime/program.ts"
import { Threads } from "../runtime/threads.ts"
import { WasmEngine } from "../runtime/wasm-engine.ts"
import { onlyCopy } from "./only.ts"

export interface EngineOptions {
  /** The same bits on every machine and runtime, at some cost in speed. Default: false. */
  readonly deterministic?: boolean
}

onlyCopy()
const threadCount = threadsHere()
const heap = new Heap({ shared: threadCount > 1 })
const threads = new Threads(heap, { count: threadCount, start: startWorker })
const small = new JsEngine()

/** Found out when the first program needs to know. */
let accepted: boolean | undefined
function relaxed(): boolean {
  if (accepted !== undefined) return accepted
  // where it is accepted already, the flag is unknown, and saying so is all that setting it would do
  if (!relaxedSupported()) allowRelaxedSimd()
  return (accepted = relaxedSupported())
}

/**
 * Chooses how programs are compiled from now on. Without `deterministic`, the same seed gives the same bits on one machine and
 * runtime; with it (no fused multiply-add) on all of them.
 *
 * @example
 * configure({ deterministic: true })
 */
export function configure({ deterministic = false }: EngineOptions): void {
  const engine = deterministic ? { threads, relaxed: () => false } : { threads, relaxed, blas: () => blasOn(heap.memory) }
  installCompiler(new Compiler(new WasmEngine(heap, engine), small))
}

configure({})
installBottom(new Eager())
installMethods()
installStorage()
