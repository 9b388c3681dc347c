// `adjoint doctor`: what this machine computes with, how fast, and what would make it faster.
import { readFileSync } from "node:fs"
import { arch, cpus, release, type } from "node:os"
import type { Command } from "commander"
import { compiler } from "../runtime/program.ts"
import "../preset/wasm.ts"
import { findBlas } from "../platform/node/blas.ts"
import { threadsHere } from "../platform/node/host.ts"
import { Processes } from "./bench/processes.ts"
import { type CommonOptions, withCommon } from "./options.ts"
import { columns, Output, StatusLine } from "./terminal.ts"

/** A way to compute, and its speed. */
interface Way {
  readonly name: string
  readonly environment: Readonly<Record<string, string>>
}

export function define(command: Command): void {
  withCommon(command, [
    ["adjoint doctor", "versions, engine, threads, BLAS, and GFLOP/s of each in some seconds"],
    ["adjoint doctor --json", "the same for programs"],
  ]).action(doctor)
}

async function doctor(options: CommonOptions): Promise<void> {
  const out = new Output(options)
  const status = new StatusLine()
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"))
  const relaxed = compiler().main.name === "wasm-relaxed"
  const threads = threadsHere()
  const { found, reason } = findBlas()
  const facts = {
    adjoint: version as string,
    node: `${process.versions.node}, V8 ${process.versions.v8}`,
    system: `${type()} ${release()}, ${arch()}, ${cpus()[0]?.model.trim() || "unknown processor"}`,
    engine: compiler().main.name,
    simd: relaxed ? "128-bit vectors, fused multiply-adds" : "128-bit vectors, no fused multiply-adds",
    threads: threads === 1 ? "1" : `${threads}, on shared memory`,
    blas: found ? `${found.name} (${found.path})` : `none: ${reason}`,
  }
  out.lines(...columns(Object.entries(facts), [0, 1]), "")

  const one = { ADJOINT_THREADS: "1", ADJOINT_BLAS: "off" }
  const all = { ADJOINT_THREADS: String(threads) }
  const library = { ADJOINT_BLAS: found?.path ?? "off" }
  const ways: Way[] = [
    { name: "one thread", environment: one },
    ...(threads > 1 ? [{ name: `${threads} threads`, environment: { ...one, ...all } }] : []),
    ...(found ? [{ name: `${found.name}, one thread`, environment: { ...one, ...library } }] : []),
    ...(found && threads > 1 ? [{ name: `${found.name}, ${threads} threads`, environment: { ...library, ...all } }] : []),
  ]
  const processes = new Processes(import.meta.url)
  const speeds: { readonly name: string; readonly gflops: number }[] = []
  for (const { name, environment } of ways) {
    if (out.talks) status.draw(`measuring: ${name}`)
    const [line] = await processes.linesOf(["PRODUCT"], environment)
    const { gflops } = line as { gflops: number }
    speeds.push({ name, gflops: Number(gflops.toPrecision(3)) })
  }
  status.clear()
  out.event({ event: "doctor", ...facts, blasFound: found !== undefined, speeds, advice: adviceFor(relaxed, threads, reason) })
  const base = speeds[0]!.gflops
  const rows = speeds.map(({ name, gflops }) => [name, String(gflops), `${(gflops / base).toFixed(2)}`])
  for (const line of columns([["matrix products, f32, 512 x 512", "GFLOP/s", "times"], ...rows])) out.result(line)
  const advice = adviceFor(relaxed, threads, reason)
  out.lines("", ...(advice.length > 0 ? advice : ["Nothing is missing."]))
}

/** What is missing, how to get it, and what it gains. */
function adviceFor(relaxed: boolean, threads: number, noBlas: string | undefined): string[] {
  const advice: string[] = []
  const off = "ADJOINT_BLAS=off"
  if (noBlas === off) advice.push(`BLAS: switched off by ${off}.`)
  else if (noBlas !== undefined)
    advice.push(
      `BLAS: ${noBlas}. With one, large matrix products use the processor's widest vectors: twice as fast with those of 256 bits.`,
    )
  if (!relaxed) advice.push("Fused multiply-adds: this processor or runtime has none; with them products are a third faster.")
  if (threads === 1) advice.push("Threads: one, as this process may use one processor only, or as ADJOINT_THREADS says.")
  return advice
}
