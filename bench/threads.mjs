// What a second thread gains: pairs of runs with one thread and with two, taking turns, on all cores; and again with one core kept busy.
//
// After `npm run build`:
//   node bench/threads.mjs                          W4 and W5, five pairs each
//   node bench/threads.mjs --workloads W7 --pairs 3
//   node bench/threads.mjs --busy                   with another process that keeps one core busy
import { spawn, spawnSync } from "node:child_process"
import { cpus } from "node:os"
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"

const { values: options } = parseArgs({
  options: {
    workloads: { type: "string", default: "W4,W5" },
    pairs: { type: "string", default: "5" },
    threads: { type: "string", default: "2" },
    blas: { type: "string", default: "off" },
    "warm-ms": { type: "string", default: "1000" },
    "rep-ms": { type: "string", default: "1500" },
    busy: { type: "boolean", default: false },
  },
})
const runner = join(resolve(import.meta.dirname, ".."), "dist/cli/bench/run.js")
const blas = options.blas === "off" ? { ADJOINT_BLAS: "off" } : {}

/** Milliseconds of a step by variant. */
function measure(workload, threads) {
  const env = { ...process.env, ...blas, ADJOINT_THREADS: String(threads) }
  const args = ["--no-warnings", runner, workload, options["warm-ms"], options["rep-ms"]]
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { env, encoding: "utf8" })
  if (status !== 0) throw new Error(stderr)
  // elapsed time counts: that of the processor is the sum over threads
  return stdout
    .trim()
    .split("\n")
    .map(line => JSON.parse(line))
    .map(({ variant, wall_ms, ms }) => ({ variant, ms: wall_ms ?? ms }))
}
const median = xs => xs.toSorted((a, b) => a - b)[xs.length >> 1]
const digits = x => x.toPrecision(3)

const busy = options.busy ? spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" }) : undefined
process.on("exit", () => busy?.kill("SIGKILL"))
const state = options.busy ? "one of them kept busy by another process" : "idle"
console.log(`Node ${process.versions.node}, ${cpus()[0]?.model.trim()}, ${cpus().length} processors, ${state}; BLAS ${options.blas}\n`)
console.log(
  `| workload | one thread, ms | ${options.threads} threads, ms | times as fast: best | median | all |\n|---|---:|---:|---:|---:|---|`,
)
for (const workload of options.workloads.split(",")) {
  const pairs = []
  for (let k = 0; k < Number(options.pairs); k++) {
    const order = k % 2 === 0 ? [1, Number(options.threads)] : [Number(options.threads), 1]
    const found = new Map(order.map(threads => [threads, measure(workload, threads)]))
    pairs.push([found.get(1), found.get(Number(options.threads))])
  }
  for (const [i, { variant }] of pairs[0][0].entries()) {
    const ratios = pairs.map(([one, more]) => one[i].ms / more[i].ms)
    const name = variant ? `${workload} ${variant}` : workload
    const [one, more] = [0, 1].map(side => digits(median(pairs.map(p => p[side][i].ms))))
    console.log(
      `| ${name} | ${one} | ${more} | ${digits(Math.max(...ratios))} | ${digits(median(ratios))} | ${ratios.map(digits).join(", ")} |`,
    )
  }
}
busy?.kill("SIGKILL")
