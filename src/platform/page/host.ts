// What the engine asks of a page or another place that is not Node. Chosen by "#host" in package.json; ../node/host.ts is its other side.
import type { Blas } from "../../runtime/blas.ts"
import type { StartWorker } from "../../runtime/threads.ts"
import { workerProgram } from "../worker-program.ts"

export const startWorker: StartWorker = (start, ended) => {
  try {
    const address = URL.createObjectURL(new Blob([`${workerProgram}onmessage = e => begin(e.data)`], { type: "text/javascript" }))
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

/** Threads that this page may use: as many as the machine runs at a time, or one where memory cannot be shared. */
export function threadsHere(): number {
  const page = globalThis as { crossOriginIsolated?: boolean; navigator?: { hardwareConcurrency?: number } }
  return page.crossOriginIsolated ? (page.navigator?.hardwareConcurrency ?? 1) : 1
}

/** Nothing native can be called here. */
export const blasOn = (_memory: WebAssembly.Memory): Blas | undefined => undefined
/** Where relaxed SIMD is not accepted there is no flag that would allow it. */
export const allowRelaxedSimd = (): void => {}
