// A worker that claims a piece and dies, as one that runs out of memory would.
import { Worker } from "node:worker_threads"
import type { StartWorker } from "../threads.ts"

/** It is ready at once, and gone at the first piece that it gets hold of. */
export const dyingWorker: StartWorker = (start, ended) => {
  const worker = new Worker(
    `const { memory, control } = require("node:worker_threads").workerData
     const words = new Int32Array(memory.buffer)
     Atomics.store(words, control.loaded / 4, 1)
     Atomics.add(words, control.workers / 4, 1)
     for (;;) {
       const job = Atomics.load(words, control.job / 4)
       if ((job & 0xffff) < job >>> 16 && (Atomics.add(words, control.job / 4, 1) & 0xffff) < job >>> 16) process.exit()
     }`,
    { eval: true, workerData: start },
  )
  worker.on("exit", ended)
  return { terminate: () => void worker.terminate() }
}
