import { type KernelKind, kernelKind, stepBytes } from "../compile/emit/wasm.ts"
import { inline } from "../compile/inline.ts"
import { workOf } from "../compile/kernel.ts"
import { type Lowered, lower } from "../compile/passes.ts"
import { type Plan, plan } from "../compile/plan.ts"
import { simplify } from "../compile/simplify.ts"
import { recordCall } from "../control/call.ts"
import { show, size } from "../core/aval.ts"
import { bytesOf } from "../core/dtype.ts"
import { leaves, type Tree } from "../core/tree.ts"
import type { Node } from "../graph/graph.ts"
import { print } from "../graph/print.ts"
import { donations } from "../runtime/jit.ts"

export interface ProgramOptions {
  /** Puts the bodies of composites and jitted functions in their place, as the compiler sees them. Default: false. */
  readonly inlined?: boolean
}

/**
 * What `f` does with arguments like these, as text: one line for each operation, and behind `//` the layer or function that it
 * belongs to; `backward` marks what reverse mode has written. Nothing is computed. JAX calls this a jaxpr.
 *
 * @example
 * console.log(printProgram((x: Tensor) => x.mul(x).sin().sum(), [tensor([1, 2, 3])]))
 * // (%0: f32[3]) =>
 * //   %1: f32[3] = mul %0 %0
 * //   %2: f32[3] = sin %1
 * //   %3: f32[] = sum {"axes":[0]} %2
 * //   return %3
 */
export function printProgram(f: (...args: any[]) => any, args: readonly unknown[], { inlined = false }: ProgramOptions = {}): string {
  const { graph } = recordCall(f, args as readonly Tree[])
  const values = args.flatMap(a => leaves(a as Tree)).length
  const text = print(inlined ? simplify(inline(graph)) : graph)
  const captured = graph.inputs.length - values
  return captured ? `${text}\n  // the last ${captured} inputs are tensors that the function uses from outside` : text
}

/** One loop nest of a compiled program. */
export interface KernelReport {
  /** The operation whose result it stores, and the layer or function that this belongs to. */
  readonly name: string
  readonly scope: string
  /** "gemm" calls the matrix product, "vector" and "reduce" work on vectors of numbers, "scalar" on one number at a time. */
  readonly kind: KernelKind
  /** Turns of its loops, outermost first. */
  readonly loops: readonly number[]
  /** How often it runs in one run of the program: more than once inside of `scan`. */
  readonly times: number
  readonly results: readonly string[]
  readonly operands: readonly string[]
  /** Scalar operations of one time; a function such as `exp` is one. */
  readonly operations: number
  /** Bytes of operands and results together. */
  readonly bytes: number
}
/** What a function is compiled to. `String(report)` is a table. */
export interface ProgramReport {
  /** The operations before they are put together to kernels, as `printProgram` shows them. */
  readonly graph: string
  readonly kernels: readonly KernelReport[]
  /** Sums over all kernels, as often as they run. */
  readonly operations: number
  readonly bytes: number
  /** Bytes of arguments, of results that do not take over the memory of an argument, and of all memory in between. */
  readonly memory: { readonly arguments: number; readonly results: number; readonly temporaries: number }
  /** What the forward pass keeps for the backward pass: bytes by the layer or function that has computed them, most first. */
  readonly kept: readonly { readonly scope: string; readonly bytes: number }[]
  toString(): string
}

/**
 * What `f` is compiled to for arguments like these: its kernels with their operations and bytes, and its memory. Nothing is computed.
 * `donate` as for `jit`.
 *
 * @example
 * const loss = (w: Tensor, x: Tensor) => matmul(x, w).square().sum()
 * const report = program(valueAndGrad(loss), [zeros([3, 2]), zeros([8, 3])])
 * console.log(String(report))
 * report.memory.arguments  // 120
 */
export function program(
  f: (...args: any[]) => any,
  args: readonly unknown[],
  { donate = [] }: { readonly donate?: readonly number[] } = {},
): ProgramReport {
  const recording = recordCall(f, args as readonly Tree[])
  const lowered = lower(recording.graph)
  const memory = memoryOf(plan(lowered, donations(recording, args as readonly Tree[], donate), stepBytes))
  const kernels = kernelsOf(lowered, 1, [])
  const total = (of: (k: KernelReport) => number): number => kernels.reduce((n, k) => n + of(k) * k.times, 0)
  const report = {
    graph: print(simplify(inline(recording.graph))),
    kernels,
    operations: total(k => k.operations),
    bytes: total(k => k.bytes),
    memory,
    kept: keptBy(lowered),
  }
  return Object.defineProperty(report, "toString", { value: () => table(report), enumerable: false })
}

function kernelsOf({ tasks }: Lowered, times: number, scope: readonly string[]): KernelReport[] {
  const sizeOf = (nodes: readonly Node[]): number => nodes.reduce((n, node) => n + bytesOfNode(node), 0)
  return tasks.flatMap((t): KernelReport[] => {
    const path = [...scope, ...t.scope]
    // how often a loop with a condition turns is not known: once is counted
    if (t.k === "loop") return kernelsOf(t.body, times * (t.loop.conditional ? 1 : t.loop.length), path)
    return [
      {
        name: t.name,
        scope: path.join("/"),
        kind: kernelKind(t.kernel),
        loops: t.kernel.axes.map(a => a.n),
        times,
        results: t.outs.map(o => show(o.aval)),
        operands: t.reads.map(r => show(r.aval)),
        operations: workOf(t.kernel),
        bytes: sizeOf([...t.outs, ...t.reads]),
      },
    ]
  })
}

const bytesOfNode = ({ aval }: Node): number => size(aval.shape) * bytesOf(aval.dtype)
const isBackward = (scope: readonly string[]): boolean => scope.includes("backward")

function keptBy({ tasks }: Lowered): ProgramReport["kept"] {
  const wanted = new Set(tasks.filter(t => isBackward(t.scope)).flatMap(t => t.reads))
  const kept = new Map<string, number>()
  for (const { scope, outs } of tasks) {
    const bytes = outs.reduce((n, o) => n + (wanted.has(o) ? bytesOfNode(o) : 0), 0)
    if (bytes > 0 && !isBackward(scope)) kept.set(scope.join("/"), bytes + (kept.get(scope.join("/")) ?? 0))
  }
  return [...kept].map(([scope, bytes]) => ({ scope, bytes })).sort((a, b) => b.bytes - a.bytes)
}

function memoryOf({ buffers, outputs, donated, arena }: Plan): ProgramReport["memory"] {
  const bytes = (ids: readonly number[]): number => ids.reduce((n, b) => n + buffers[b]!.n * bytesOf(buffers[b]!.dtype), 0)
  return {
    arguments: bytes(buffers.flatMap((b, i) => (b.input === undefined ? [] : [i]))),
    results: bytes(outputs.filter((_, o) => donated[o]! < 0)),
    temporaries: arena,
  }
}

function table({ kernels, operations, bytes, memory, kept }: Omit<ProgramReport, "toString">): string {
  const rows = kernels.map(k => [
    k.name,
    k.kind,
    `${k.loops.join("x") || "1"}${k.times > 1 ? ` (${k.times} times)` : ""}`,
    metric(k.operations),
    metric(k.bytes),
    `${k.results.join(", ")} <- ${k.operands.join(", ") || "nothing"}`,
    k.scope,
  ])
  const head = ["kernel", "kind", "loops", "operations", "bytes", "results <- operands", "where"]
  const widths = head.map((h, c) => Math.max(h.length, ...rows.map(r => r[c]!.length)))
  const line = (r: readonly string[]): string =>
    r
      .map((x, c) => (c === 3 || c === 4 ? x.padStart(widths[c]!) : x.padEnd(widths[c]!)))
      .join("  ")
      .trimEnd()
  const memoryLine = `memory: ${metric(memory.arguments)}B arguments, ${metric(memory.results)}B results, ${metric(memory.temporaries)}B temporaries`
  return [
    `${kernels.length} ${kernels.length === 1 ? "kernel" : "kernels"}, ${metric(operations)} operations, ${metric(bytes)}B read and written`,
    memoryLine,
    ...(kept.length ? [`kept for the backward pass: ${kept.map(k => `${metric(k.bytes)}B ${k.scope || "by none"}`).join(", ")}`] : []),
    "",
    ...[head, ...rows].map(line),
  ].join("\n")
}
/** 1234567 as "1.23 M". */
export function metric(n: number): string {
  const step = n < 1e3 ? 0 : n < 1e6 ? 1 : n < 1e9 ? 2 : 3
  return step ? `${(n / 1e3 ** step).toPrecision(3)} ${"kMG"[step - 1]}` : `${n} `
}
