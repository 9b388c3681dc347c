// The code of written modules. scripts/standalone.ts bundles it into runtime-text.ts; it may import nothing that needs an engine.
import type { Description, Info, Place, ProgramDescription, Stored, TrainingDescription } from "../description.ts"
import { inputsOf, numbersOf, type Rows, targetsOf } from "./rows.ts"
import { pack, unpack } from "./saved.ts"

const ARRAYS = { f32: Float32Array, f64: Float64Array, i32: Int32Array, u8: Uint8Array } as const
type Numbers = InstanceType<(typeof ARRAYS)[Stored]>

export interface Answer {
  readonly prediction: string | number
  readonly probabilities?: { readonly [name: string]: number }
}
export interface StandaloneModel {
  readonly info: Info
  predict(x: unknown): unknown
  outputs(x: unknown): unknown
  step(x: unknown, y: unknown): number
  save(): Uint8Array
  load(bytes: Uint8Array): void
}

/** Memory of the module: arrays in it, and the programs that work on them. */
class Machine {
  private readonly memory: WebAssembly.Memory
  private readonly arena: number
  private readonly programs = new Map<string, (arena: number, table: number) => void>()

  private constructor({ pages, arena }: Description) {
    // the programs are compiled for a memory of this largest size
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: 65536 })
    this.arena = arena
  }
  static async start(d: Description, code: Uint8Array<ArrayBuffer>): Promise<Machine> {
    const machine = new Machine(d)
    const module = await WebAssembly.compile(code)
    const section = (name: string): ArrayBuffer => WebAssembly.Module.customSections(module, name)[0]!
    const env = { memory: machine.memory }
    const lib = (await WebAssembly.instantiate(module, { env })).exports
    machine.bytes(d.data).set(new Uint8Array(section("data")))
    for (const p of [...d.predict, ...(d.training?.steps ?? [])]) {
      const { instance } = await WebAssembly.instantiate(section(p.section), { env, lib })
      machine.programs.set(p.section, instance.exports.run as never)
      machine.view({ at: p.table, dtype: "i32", size: p.addresses.length }).set(p.addresses)
    }
    return machine
  }

  bytes(from: number, to?: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, from, to === undefined ? undefined : to - from)
  }
  view({ at, dtype, size }: Place, rows = 1): Numbers {
    return new ARRAYS[dtype](this.memory.buffer, at, size * rows)
  }
  run({ section, table }: ProgramDescription): void {
    this.programs.get(section)!(this.arena, table)
  }
}

/** [rows, size] what the model gives for all rows: in pieces as large as the programs, the last one filled up with zeros. */
function compute(machine: Machine, d: Description, { values, rows }: Rows, of: Place): Numbers {
  const all = new ARRAYS[of.dtype](rows * of.size)
  const { size } = d.x
  // a single row has a program of its own
  const program = d.predict.find(p => p.rows >= rows) ?? d.predict.at(-1)!
  for (let from = 0; from < rows; from += program.rows) {
    const n = Math.min(program.rows, rows - from)
    const x = machine.view(d.x, program.rows).fill(0)
    for (let i = 0; i < n * size; i++) x[i] = values[from * size + i]!
    machine.run(program)
    all.set(machine.view(of, n), from * of.size)
  }
  return all
}

const split = (values: Numbers, { rows, list }: Rows, size: number): Numbers | Numbers[] =>
  list ? Array.from({ length: rows }, (_, i) => values.slice(i * size, (i + 1) * size)) : values

/** Answers in the target's own terms, rounded to the digits that the network computes with. */
function answers(machine: Machine, d: Description, rows: Rows): Answer | Answer[] {
  const { target } = d.encoding!
  const place = d.probabilities ?? d.outputs
  const values = compute(machine, d, rows, place)
  const all = Array.from({ length: rows.rows }, (_, row): Answer => {
    const own = Array.from(values.subarray(row * place.size, (row + 1) * place.size))
    if (target.kind === "number") return { prediction: Number((own[0]! * target.std + target.mean).toPrecision(7)) }
    const probabilities = Object.fromEntries(target.values.map((name, k) => [name, Number(own[k]!.toPrecision(6))]))
    return { prediction: target.values[own.indexOf(Math.max(...own))]!, probabilities }
  })
  return rows.list ? all : all[0]!
}

function learn(machine: Machine, d: Description, t: TrainingDescription, x: unknown, y: unknown): number {
  const inputs = inputsOf(d, x)
  const targets = targetsOf(d, y, t.y)
  const { rows } = inputs
  if (targets.rows !== rows) throw new RangeError(`step: wanted as many answers as rows; got ${targets.rows} for ${rows}`)
  const program = t.steps.find(s => s.rows === rows)
  if (!program) throw new RangeError(`step: wanted ${t.steps.map(s => s.rows).join(" or ")} rows; got ${rows}`)
  machine.view(d.x, rows).set(inputs.values)
  machine.view(t.y, rows).set(targets.values)
  machine.run(program)
  machine.view({ at: t.counter, dtype: "i32", size: 1 })[0]! += 1
  return machine.view(t.loss)[0]!
}

/** The functions of a written module. */
export async function open(d: Description, code: Uint8Array<ArrayBuffer>): Promise<StandaloneModel> {
  const machine = await Machine.start(d, code)
  const plain = (x: unknown, rows: Rows): unknown => {
    const all = compute(machine, d, rows, d.outputs)
    // flat numbers give flat numbers
    return split(all, { ...rows, list: Array.isArray(x) && typeof x[0] === "object" }, d.outputs.size)
  }
  const outputs = (x: unknown): unknown => plain(x, numbersOf(x, d.x, "x"))
  const training = (): TrainingDescription => d.training!
  return {
    info: d.info,
    outputs,
    predict: x => (d.encoding === null ? outputs(x) : answers(machine, d, inputsOf(d, x))),
    step: (x, y) => learn(machine, d, training(), x, y),
    save: () => pack(machine.bytes(training().from, training().end), training().kind),
    load: bytes => machine.bytes(training().from).set(unpack(bytes, training().kind, training().end - training().from)),
  }
}

/** The bytes of a file beside the module, by fetch or, where that reads no files, by Node's own functions. */
export async function read(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  const { process } = globalThis as { process?: { versions?: { node?: string } } }
  if (url.protocol === "file:" && process?.versions?.node !== undefined) {
    const files = "node:fs/promises" // by a name that bundlers for browsers do not follow
    return (await import(/* @vite-ignore */ files)).readFile(url)
  }
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url} cannot be read: ${response.status} ${response.statusText}`)
  return new Uint8Array(await response.arrayBuffer())
}

export const decode = (base64: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(base64), c => c.charCodeAt(0))
