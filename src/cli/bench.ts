// `adjoint bench`: how fast this machine trains nine small networks, each in a process of its own.
import { readFileSync } from "node:fs"
import { cpus } from "node:os"
import { type Command, Option } from "commander"
import { findBlas } from "../platform/node/blas.ts"
import type { Peak } from "./bench/peak.ts"
import { Processes } from "./bench/processes.ts"
import { ENGINES, type Result, rounded } from "./bench/result.ts"
import { median } from "./bench/timing.ts"
import { COLD_UNIT, HEALTH, WORKLOADS } from "./bench/workloads.ts"
import { UsageError } from "./errors.ts"
import { type CommonOptions, count, positive, withCommon } from "./options.ts"
import { aligned, columns, Output, percent, StatusLine } from "./terminal.ts"

interface BenchOptions extends CommonOptions {
  readonly threads: number
  readonly blas: "on" | "off"
  readonly ms: number
  readonly warmMs?: number
  readonly health?: boolean
}

const COLD_REPEATS = 3
/** A repeat that lost more of its time to other processes is given by its CPU time. */
const NOTED_OFF_CPU = 0.03

export function define(command: Command): void {
  const list = Object.entries(WORKLOADS).map(([name, { title }]) => `  ${name}  ${title}`)
  command
    .argument("[workloads...]", "which ones (default: all)")
    .option("--ms <n>", "milliseconds of each of the three repeats", positive, 1000)
    .option("--warm-ms <n>", "milliseconds of steps before the first repeat (default: as --ms)", positive)
    .option("--threads <n>", "threads that the engine may use", count, 1)
    .addOption(new Option("--blas <state>", "matrix products by a BLAS of the machine").choices(["on", "off"]).default("off"))
    .option("--health", `as fit trains them, with its option health and without (${Object.keys(HEALTH).join(", ")})`)
    .addHelpText("after", `\nWorkloads:\n${list.join("\n")}`)
  withCommon(command, [
    ["adjoint bench", "all of them, in about a minute"],
    ["adjoint bench W1 W3", "only these"],
    ["adjoint bench W3 W6 --health", "what looking at layers and gradients costs"],
    ["adjoint bench W4 --threads 2 --blas on", "what two threads and a BLAS of the machine gain"],
    ["adjoint bench W4 --ms 5000 --json", "longer, one line of JSON for each result"],
  ]).action(bench)
}

async function bench(given: readonly string[], options: BenchOptions): Promise<void> {
  const names = chosen(given).filter(name => !options.health || Object.hasOwn(HEALTH, name))
  if (names.length === 0) throw new UsageError(`--health: wanted some of ${Object.keys(HEALTH).join(", ")}.`)
  const { found, reason } = options.blas === "on" ? findBlas() : {}
  if (reason !== undefined) throw new UsageError(`--blas on: ${reason}.`)
  const out = new Output(options)
  const status = new StatusLine()
  const environment = { ADJOINT_THREADS: String(options.threads), ...(found ? {} : { ADJOINT_BLAS: "off" }) }
  const processes = new Processes(import.meta.url)
  const linesOf: Run = (args, onLine) => processes.linesOf(args, environment, onLine)
  const peak = (await linesOf(["PEAK"]))[0] as unknown as Peak
  const machine = machineOf(peak, options.threads, found?.name ?? "off")
  out.lines(...header(machine, peak, options.ms), "")

  const rows: (readonly [name: string, result: Result])[] = []
  const take = (name: string, result: Result): void => {
    rows.push([name, result])
    if (result.status === "failed") process.exitCode = 1
    const { variant, engine, value, unit, status, ...rest } = result
    out.event({ event: "result", workload: name, variant, engine, value, unit, status, ...rest, ...machine, peak_gflops: peak.gflops })
  }
  for (const [i, name] of names.entries()) {
    if (out.talks) status.draw(`${name} ${WORKLOADS[name]!.title} (${i + 1} of ${names.length})`)
    await measure(name, { ...options, linesOf, engine: ENGINES[peak.simd] }, result => take(name, result))
  }
  status.clear()
  for (const line of table(rows, peak)) out.result(line)
}

function chosen(given: readonly string[]): readonly string[] {
  const all = Object.keys(WORKLOADS)
  const names = given.flatMap(text => text.split(",")).map(name => name.trim().toUpperCase())
  const odd = names.find(name => !all.includes(name))
  if (odd !== undefined) {
    const known = Object.entries(WORKLOADS).map(([name, { title }]) => `${name} (${title})`)
    throw new UsageError(`There is no workload ${JSON.stringify(odd)}; wanted some of ${known.join(", ")}.`)
  }
  return names.length > 0 ? all.filter(name => names.includes(name)) : all
}

// Processes

/** What a process prints, line by line. */
type Run = (args: readonly string[], onLine?: (line: object) => void) => Promise<object[]>
type Circumstances = BenchOptions & { readonly linesOf: Run; readonly engine: string }

/** Hands each result of a workload to `take` as it comes. */
async function measure(
  name: string,
  { ms, warmMs = ms, health, linesOf, engine }: Circumstances,
  take: (result: Result) => void,
): Promise<void> {
  const { measures, unit, variants } = (health ? HEALTH : WORKLOADS)[name]!
  const nothing = { variant: variants[0]!, engine, value: null, unit }
  const results: Result[] = []
  try {
    if (measures === "process") return take(await wholeProcess(linesOf, engine))
    await linesOf([name, String(warmMs), String(ms), ...(health ? ["health"] : [])], line => {
      results.push(line as Result)
      take(line as Result)
    })
  } catch (error) {
    if (results.at(-1)?.status === "failed") return // it has said so itself
    const variant = variants[results.length] ?? nothing.variant
    take({ ...nothing, variant, status: "failed", reason: (error as Error).message })
  }
}

/** W8: from the start of a process to its end, beside one that only loads the library. */
async function wholeProcess(linesOf: Run, engine: string): Promise<Result> {
  const seconds = { IMPORT: [] as number[], W8: [] as number[] }
  for (let i = 0; i < COLD_REPEATS; i++) {
    for (const name of ["IMPORT", "W8"] as const) {
      const start = performance.now()
      await linesOf([name])
      seconds[name].push(rounded((performance.now() - start) / 1000, 4))
    }
  }
  return {
    variant: "",
    status: "ok",
    engine,
    value: median(seconds.W8),
    unit: COLD_UNIT,
    min_s: Math.min(...seconds.W8),
    import_s: median(seconds.IMPORT),
    import_min_s: Math.min(...seconds.IMPORT),
    reps_s: seconds.W8,
  }
}

// What is told

interface Machine {
  readonly adjoint: string
  readonly node: string
  readonly v8: string
  readonly simd: Peak["simd"]
  readonly threads: number
  readonly blas: string
  readonly cpu: string
  readonly date: string
}

function machineOf({ simd }: Peak, threads: number, blas: string): Machine {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"))
  const { node, v8 } = process.versions
  const cpu = cpus()[0]?.model.trim() || "unknown processor"
  return { adjoint: version, node, v8, simd, threads, blas, cpu, date: new Date().toISOString() }
}

function header({ adjoint, node, v8, simd, threads, blas, cpu }: Machine, { gflops }: Peak, ms: number): readonly string[] {
  const [mode, means] =
    simd === "relaxed" ? ["relaxed SIMD", "fused multiply-adds"] : ["plain SIMD", "multiplications and additions (no fused ones here)"]
  return [
    `adjoint ${adjoint}, Node ${node}, V8 ${v8}, ${mode}, ${threads} ${threads === 1 ? "thread" : "threads"}, ${blas === "off" ? "no BLAS" : blas}, ${cpu}`,
    `Peak ${gflops} GFLOP/s: ${means} on registers, 128 bits wide, one thread. Medians of 3 repeats of ${ms / 1000} s.`,
  ]
}

const HEAD = ["", "workload", "variant", "ms/step", "steps/s", "GFLOP/s", "of peak", "memory", "result"]

function table(rows: readonly (readonly [name: string, result: Result])[], peak: Peak): readonly string[] {
  const notes: string[] = []
  const cells = rows.map(([name, result]) => {
    const { variant, status, ms, gflops, rss_mb, off_cpu = 0, reason } = result
    const { title } = WORKLOADS[name]!
    if (status !== "ok") notes.push(`${name} ${status}: ${reason}`)
    const mark = off_cpu > NOTED_OFF_CPU ? "*" : ""
    if (mark) notes.push(`* ${name} ${variant}: ${percent(off_cpu, 0)} of the time went to other processes; this is CPU time.`)
    return [
      name,
      title,
      variant,
      ms === undefined ? "-" : `${aligned(ms)}${mark}`,
      ms === undefined ? "-" : aligned(1000 / ms),
      gflops === undefined ? "-" : aligned(gflops),
      gflops === undefined ? "-" : percent(gflops / peak.gflops, 1),
      rss_mb === undefined ? "-" : `${rss_mb} MB`,
      textOf(result),
    ]
  })
  return [...columns([HEAD, ...cells], [0, 1, 2, HEAD.length - 1]), ...notes]
}

/** The value in the workload's own unit. */
function textOf({ value, unit, status, test_acc, health_share }: Result): string {
  if (value === null) return status
  if (health_share !== undefined) return `${value} ${unit}, ${percent(health_share, 1)} more time`
  const accuracy = test_acc === undefined ? "" : `, ${percent(test_acc)} of the test digits right`
  return `${value} ${unit}${accuracy}`
}
