// Where the time of a compiled function goes.
import { type KernelKind, kernelKind } from "../compile/emit/wasm.ts"
import { lower } from "../compile/passes.ts"
import type { Step } from "../compile/plan.ts"
import { recordCall } from "../control/call.ts"
import type { Concrete } from "../core/concrete.ts"
import { leaves, type Tree } from "../core/tree.ts"
import { compiler } from "../runtime/program.ts"
import { WasmEngine } from "../runtime/wasm-engine.ts"

export interface TimelineOptions {
  /** Runs that are measured, after as many that warm up. Default: 10. */
  readonly runs?: number
}

/** A kernel, or a loop with all that is in it. */
export interface TimelineStep {
  /** The operation whose result it stores, and the layer or function that this belongs to. */
  readonly name: string
  readonly scope: string
  readonly kind: KernelKind | "loop"
  /** Median over the runs. */
  readonly milliseconds: number
  /** Of the sum over all steps, from 0 to 1. */
  readonly share: number
}

/** An event of the Trace Event Format; times in microseconds. */
export interface TraceEvent {
  readonly name: string
  readonly cat: string
  readonly ph: "X"
  readonly ts: number
  readonly dur: number
  readonly pid: number
  readonly tid: number
  readonly args: { readonly scope: string; readonly kind: string; readonly run: number }
}

/** How long each step of a program takes. `String(timeline)` is a table, the slowest step first. */
export interface Timeline {
  /** In the order in which they run. */
  readonly steps: readonly TimelineStep[]
  /** Sum over all steps. */
  readonly milliseconds: number
  /** All measured runs for Chrome's `chrome://tracing` or ui.perfetto.dev: save as JSON and open it there. */
  readonly trace: { readonly traceEvents: readonly TraceEvent[]; readonly displayTimeUnit: "ms" }
  toString(): string
}

/**
 * Runs `f` on the arguments, compiled to WebAssembly, and measures each kernel. The clock of a runtime may be too coarse for single small
 * kernels (browsers: 5 to 100 microseconds). Throws TypeError where there is no WebAssembly engine (`adjoint/js`).
 *
 * Trace Event Format: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
 *
 * @example
 * const lines = timeline(grad((x: Tensor) => sum(tanh(matmul(x, x)))), [zeros([64, 64])])
 * console.log(String(lines))
 */
export function timeline(f: (...args: any[]) => any, args: readonly unknown[], { runs = 10 }: TimelineOptions = {}): Timeline {
  if (!Number.isInteger(runs) || runs < 1) throw new TypeError(`timeline: \`runs\` must be a whole number from 1; got ${runs}`)
  const { main } = compiler()
  if (!(main instanceof WasmEngine)) throw new TypeError(`timeline: measures WebAssembly, and the engine here is "${main.name}"`)
  const { graph, captured } = recordCall(f, args as readonly Tree[])
  const seen: { step: Step; from: number; to: number; run: number }[] = []
  let run = -runs
  const once = main.timed(lower(graph), (step, from, to) => {
    if (run >= 0) seen.push({ step, from, to, run })
  })
  const inputs = [...leaves(args as readonly Tree[]), ...captured].map(x => (x as Concrete).storage)
  for (; run < runs; run++) once(inputs.map(s => s.settled()))

  const durations = new Map<Step, number[]>()
  for (const { step, from, to } of seen) durations.set(step, [...(durations.get(step) ?? []), to - from])
  const medians = [...durations].map(([step, all]) => ({ step, milliseconds: median(all) }))
  const milliseconds = medians.reduce((n, m) => n + m.milliseconds, 0)
  const steps = medians.map(m => ({ ...labels(m.step), milliseconds: m.milliseconds, share: m.milliseconds / (milliseconds || 1) }))
  const start = seen[0]?.from ?? 0
  const traceEvents = seen.map(({ step, from, to, run }): TraceEvent => {
    const { name, scope, kind } = labels(step)
    return {
      name,
      cat: scope || name,
      ph: "X",
      ts: (from - start) * 1000,
      dur: (to - from) * 1000,
      pid: 1,
      tid: 1,
      args: { scope, kind, run },
    }
  })
  const report = { steps, milliseconds, trace: { traceEvents, displayTimeUnit: "ms" as const } }
  return Object.defineProperty(report, "toString", { value: () => table(report), enumerable: false })
}

const labels = (step: Step): Pick<TimelineStep, "name" | "scope" | "kind"> => ({
  name: step.name,
  scope: step.scope.join("/"),
  kind: step.k === "loop" ? "loop" : kernelKind(step.kernel),
})

function median(xs: readonly number[]): number {
  const sorted = xs.toSorted((a, b) => a - b)
  return (sorted[(xs.length - 1) >> 1]! + sorted[xs.length >> 1]!) / 2
}

function table({ steps, milliseconds }: Omit<Timeline, "toString">): string {
  const rows = steps
    .toSorted((a, b) => b.milliseconds - a.milliseconds)
    .map(s => [`${(s.milliseconds * 1000).toFixed(1)} us`, `${(100 * s.share).toFixed(1)} %`, s.kind, s.name, s.scope])
  const widths = [0, 1, 2, 3].map(c => Math.max(...rows.map(r => r[c]!.length)))
  const lines = rows.map(r =>
    r
      .map((x, c) => (c < 2 ? x.padStart(widths[c]!) : x.padEnd(widths[c] ?? 0)))
      .join("  ")
      .trimEnd(),
  )
  return [`${steps.length} ${steps.length === 1 ? "step" : "steps"}, ${(milliseconds * 1000).toFixed(1)} us`, ...lines].join("\n")
}
