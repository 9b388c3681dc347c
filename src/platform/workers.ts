// Starts threads, in Node and in pages that may share memory. A worker's program is a text, so that there is no file that a bundler would
// have to find.
import type { StartWorker } from "../runtime/threads.ts"
import { bindBlas, findBlas, koffiPath } from "./blas.ts"
import { builtin, environment, system } from "./builtin.ts"

/**
 * Loads modules from their records in memory, in the order in which they were made, and goes on to `work`. Modules of one space import
 * each other's functions; "p12" has its place 12 in the table. A BLAS is loaded when a module imports its product.
 */
const program = `
const bindBlas = ${bindBlas}
function begin({ memory, threads, worker, control, koffi, blas }, require) {
  const table = new WebAssembly.Table({ element: "anyfunc", initial: 64 })
  const spaces = []
  let last = control.first
  const load = () => {
    const words = new Int32Array(memory.buffer)
    const count = Atomics.load(words, control.modules / 4)
    for (let i = Atomics.load(words, control.loaded / 4 + worker); i < count; i++) {
      const at = words[last / 4]
      const module = new WebAssembly.Module(new Uint8Array(memory.buffer).slice(at + 12, at + 12 + words[at / 4 + 1]))
      const functions = (spaces[words[at / 4 + 2]] ??= { fork() {} })
      if (WebAssembly.Module.imports(module).some(x => x.name.startsWith("blas_"))) Object.assign(functions, bindBlas(require(koffi), blas, memory))
      const { exports } = new WebAssembly.Instance(module, { env: { memory }, lib: functions })
      for (const [name, f] of Object.entries(exports)) {
        functions[name] = f
        if (name[0] !== "p" || !/^p\\d+$/.test(name)) continue
        const slot = Number(name.slice(1))
        if (slot >= table.length) table.grow(2 * slot)
        table.set(slot, f)
      }
      last = at
    }
    Atomics.store(words, control.loaded / 4 + worker, count)
  }
  const lib = { stall() {}, load }
  const { work } = new WebAssembly.Instance(new WebAssembly.Module(threads), { env: { memory, table }, lib }).exports
  load()
  Atomics.add(new Int32Array(memory.buffer), control.workers / 4, 1)
  work(worker)
}
`

/** What is used here of Node's own Worker. */
interface NodeWorker {
  unref(): void
  on(event: "exit" | "error", f: (e: unknown) => void): void
  terminate(): Promise<number>
}
type NodeWorkers = { Worker: new (text: string, options: { eval: true; workerData: unknown }) => NodeWorker }

export const startWorker: StartWorker = (start, ended) => {
  const threads = builtin<NodeWorkers>("worker_threads")
  return threads ? inNode(threads, start, ended) : inPage(start, ended)
}
const inNode = ({ Worker }: NodeWorkers, start: Parameters<StartWorker>[0], ended: () => void): ReturnType<StartWorker> => {
  const text = `${program}begin(require("node:worker_threads").workerData, require)`
  const workerData = { ...start, koffi: koffiPath(), blas: findBlas().found?.path }
  const worker = new Worker(text, { eval: true, workerData })
  worker.unref()
  worker.on("error", () => {}) // it ends, and what it has not begun is done here
  worker.on("exit", ended)
  return { terminate: () => void worker.terminate() }
}
const inPage = (start: Parameters<StartWorker>[0], ended: () => void): ReturnType<StartWorker> => {
  try {
    const address = URL.createObjectURL(new Blob([`${program}onmessage = e => begin(e.data)`], { type: "text/javascript" }))
    const worker = new Worker(address)
    worker.onerror = ended
    worker.postMessage(start)
    return {
      terminate: () => {
        worker.terminate()
        setTimeout(ended)
      },
    }
  } catch {
    return undefined // a page whose policy forbids workers computes in one thread
  }
}

/** Threads that this process may use: `ADJOINT_THREADS`, or as many as the machine runs at a time. One where memory cannot be shared. */
export function threadsHere(): number {
  const wanted = environment("ADJOINT_THREADS")
  if (wanted !== undefined && wanted !== "") {
    const n = Number(wanted)
    if (!Number.isInteger(n) || n < 1) throw new RangeError(`ADJOINT_THREADS: wanted a whole number from 1 on, got "${wanted}"`)
    return n
  }
  if (system !== undefined) return builtin<typeof import("node:os")>("os")?.availableParallelism() ?? 1
  const page = globalThis as { crossOriginIsolated?: boolean; navigator?: { hardwareConcurrency?: number } }
  return page.crossOriginIsolated ? (page.navigator?.hardwareConcurrency ?? 1) : 1
}
