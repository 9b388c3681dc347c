// What the engine asks of Node: threads, a BLAS, relaxed SIMD. Chosen by "#host" in package.json; ../page/host.ts is its other side.
import { createRequire } from "node:module"
import { availableParallelism } from "node:os"
import type { StartWorker } from "../../runtime/threads.ts"
import { workerProgram } from "../worker-program.ts"
import { bindBlas, findBlas, koffiPath } from "./blas.ts"

export { blasOn } from "./blas.ts"
export { allowRelaxedSimd } from "./relaxed.ts"

export const startWorker: StartWorker = (start, ended) => {
  // loaded when needed: it is not the smallest of modules
  const { Worker }: typeof import("node:worker_threads") = createRequire(import.meta.url)("node:worker_threads")
  const text = `const bindBlas = ${bindBlas}${workerProgram}begin(require("node:worker_threads").workerData, require)`
  const workerData = { ...start, koffi: koffiPath(), blas: findBlas().found?.path }
  const worker = new Worker(text, { eval: true, workerData })
  worker.unref()
  worker.on("error", () => {}) // it ends, and what it has not begun is done here
  worker.on("exit", ended)
  return { terminate: () => void worker.terminate() }
}

/** Threads that this process may use: `ADJOINT_THREADS`, or as many as the machine runs at a time. */
export function threadsHere(): number {
  const wanted = process.env.ADJOINT_THREADS ?? ""
  if (wanted === "") return availableParallelism()
  const n = Number(wanted)
  if (!Number.isInteger(n) || n < 1) throw new RangeError(`ADJOINT_THREADS: wanted a whole number from 1 on, got "${wanted}"`)
  return n
}
