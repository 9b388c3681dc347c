// A small WebAssembly assembler: instructions go straight into growing buffers, a module is put together from them once.
import {
  type AtomicOp,
  atomicOpcodes,
  i8x16Shuffle,
  type LaneOp,
  laneOpcodes,
  type MemoryLaneOp,
  type MemoryOp,
  memoryCopy,
  memoryLaneOpcodes,
  memoryOpcodes,
  type Op,
  opcodes,
  v128Const,
} from "./wasm-opcodes.ts"

export type ValueType = "i32" | "i64" | "f32" | "f64" | "v128"
const typeCodes: Record<ValueType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b }
const emptyBlock = 0x40

/** A local variable or parameter of the function being written. */
export type Local = number

/** Bytes that grow by doubling. */
export class Bytes {
  length = 0
  private data = new Uint8Array(256)
  private view = new DataView(this.data.buffer)

  private reserve(n: number): number {
    const at = this.length
    if (at + n > this.data.length) {
      const larger = new Uint8Array(Math.max(2 * this.data.length, at + n))
      larger.set(this.data)
      this.data = larger
      this.view = new DataView(larger.buffer)
    }
    this.length = at + n
    return at
  }
  clear(): void {
    this.length = 0
  }
  bytes(): Uint8Array<ArrayBuffer> {
    return this.data.slice(0, this.length)
  }
  byte(n: number): void {
    const at = this.reserve(1)
    this.data[at] = n
  }
  unsigned(n: number): void {
    let rest = n >>> 0
    while (rest > 127) {
      this.byte((rest & 127) | 128)
      rest >>>= 7
    }
    this.byte(rest)
  }
  /** Of 32 bits. */
  signed(n: number): void {
    let rest = n | 0
    while (rest > 63 || rest < -64) {
      this.byte((rest & 127) | 128)
      rest >>= 7
    }
    this.byte(rest & 127)
  }
  /** Of 64 bits. */
  long(n: bigint): void {
    let rest = n
    while (rest > 63n || rest < -64n) {
      this.byte(Number(rest & 127n) | 128)
      rest >>= 7n
    }
    this.byte(Number(rest & 127n))
  }
  f32(x: number): void {
    const at = this.reserve(4)
    this.view.setFloat32(at, x, true)
  }
  f64(x: number): void {
    const at = this.reserve(8)
    this.view.setFloat64(at, x, true)
  }
  text(s: string): void {
    this.unsigned(s.length)
    for (let i = 0; i < s.length; i++) this.byte(s.charCodeAt(i))
  }
  append(other: Bytes): void {
    const at = this.reserve(other.length)
    this.data.set(other.data.subarray(0, other.length), at)
  }
}

/** The code of one function. Every method writes one instruction and returns the code again. */
export class Code {
  readonly locals: ValueType[] = []
  constructor(
    readonly params: readonly ValueType[],
    private readonly out: Bytes,
  ) {}

  local(t: ValueType): Local {
    return this.params.length + this.locals.push(t) - 1
  }
  private opcode(code: number): void {
    if (code < 0x100) this.out.byte(code)
    else {
      this.out.byte(code >> 16)
      this.out.unsigned(code & 0xffff)
    }
  }
  op(...names: readonly Op[]): this {
    for (const name of names) this.opcode(opcodes[name])
    return this
  }
  get(...locals: readonly Local[]): this {
    for (const i of locals) this.indexed(0x20, i)
    return this
  }
  set(i: Local): this {
    return this.indexed(0x21, i)
  }
  tee(i: Local): this {
    return this.indexed(0x22, i)
  }
  call(f: number): this {
    return this.indexed(0x10, f)
  }
  /** Calls what the table has at the number on top of the stack. */
  callIndirect(type: number): this {
    this.indexed(0x11, type)
    this.out.byte(0)
    return this
  }
  drop(): this {
    this.out.byte(0x1a)
    return this
  }
  br(depth: number): this {
    return this.indexed(0x0c, depth)
  }
  brIf(depth: number): this {
    return this.indexed(0x0d, depth)
  }
  private indexed(code: number, i: number): this {
    this.out.byte(code)
    this.out.unsigned(i)
    return this
  }
  i32(n: number): this {
    this.out.byte(0x41)
    this.out.signed(n)
    return this
  }
  i64(n: bigint): this {
    this.out.byte(0x42)
    this.out.long(n)
    return this
  }
  f32(x: number): this {
    this.out.byte(0x43)
    this.out.f32(x)
    return this
  }
  f64(x: number): this {
    this.out.byte(0x44)
    this.out.f64(x)
    return this
  }
  /** A vector constant, from four numbers of 4 bytes or two of 8. */
  v128(t: "i32" | "f32" | "f64", lanes: readonly number[]): this {
    this.opcode(v128Const)
    for (const x of lanes) {
      if (t === "f64") this.out.f64(x)
      else if (t === "f32") this.out.f32(x)
      else for (let b = 0; b < 32; b += 8) this.out.byte((x >> b) & 255)
    }
    return this
  }
  /** Bytes of two vectors by number: 0 to 15 from the first, 16 to 31 from the second. */
  shuffle(picks: readonly number[]): this {
    this.opcode(i8x16Shuffle)
    for (const p of picks) this.out.byte(p)
    return this
  }
  /** The word lies at an address that is a multiple of 4. */
  atomic(name: AtomicOp, offset = 0): this {
    this.opcode(atomicOpcodes[name])
    this.out.byte(2)
    this.out.unsigned(offset)
    return this
  }
  memory(name: MemoryOp, offset = 0): this {
    return this.memarg(memoryOpcodes[name], offset)
  }
  memoryLane(name: MemoryLaneOp, offset: number, lane: number): this {
    this.memarg(memoryLaneOpcodes[name], offset)
    this.out.byte(lane)
    return this
  }
  /** Copies memory; on the stack lie where to, where from and how many bytes. */
  copyMemory(): this {
    this.opcode(memoryCopy)
    this.out.byte(0)
    this.out.byte(0)
    return this
  }
  private memarg(code: number, offset: number): this {
    this.opcode(code)
    this.out.byte(0) // no promise about alignment
    this.out.unsigned(offset)
    return this
  }
  lane(name: LaneOp, lane: number): this {
    this.opcode(laneOpcodes[name])
    this.out.byte(lane)
    return this
  }

  private nested(code: number, body: () => void): this {
    this.out.byte(code)
    this.out.byte(emptyBlock)
    body()
    this.out.byte(0x0b)
    return this
  }
  /** `brIf(0)` inside leaves the block. */
  block(body: () => void): this {
    return this.nested(0x02, body)
  }
  /** `brIf(0)` inside starts the next turn. */
  loop(body: () => void): this {
    return this.nested(0x03, body)
  }
  if(body: () => void, otherwise?: () => void): this {
    return this.nested(0x04, () => {
      body()
      if (!otherwise) return
      this.out.byte(0x05)
      otherwise()
    })
  }
  /** `local += n`. */
  advance(i: Local, n: number): this {
    return n === 0 ? this : this.get(i).i32(n).op("i32.add").set(i)
  }
  /** for (i = 0; i < end; i += step): `end` is a local, looked at before the first turn. */
  for(i: Local, end: Local, step: number, body: () => void): this {
    this.i32(0).set(i)
    return this.get(end).if(() => {
      this.loop(() => {
        body()
        this.advance(i, step).get(i, end).op("i32.lt_s").brIf(0)
      })
    })
  }
}

/** Largest memory that modules import, in pages of 64 KiB. */
const maximumPages = 65536

export interface ModuleImports {
  /** Whether the imported memory is shared between threads. */
  readonly shared?: boolean
  /** Whether `env.table`, a table of functions, is imported. */
  readonly table?: boolean
}

/** A module that imports `env.memory`. Imported functions are declared before the module's own. */
export class WasmModule {
  private readonly shared: boolean
  private readonly table: boolean
  constructor({ shared = false, table = false }: ModuleImports = {}) {
    this.shared = shared
    this.table = table
  }

  private readonly types = new Map<string, { readonly params: readonly ValueType[]; readonly index: number }>()
  private readonly imports: { name: string; type: number }[] = []
  private readonly functions: number[] = []
  private readonly exports: { name: string; index: number }[] = []
  private readonly code = new Bytes()
  // of the function being written
  private readonly head = new Bytes()
  private readonly body = new Bytes()

  /** The number of the type of functions without result that have these parameters. */
  type(params: readonly ValueType[]): number {
    const key = params.join()
    let type = this.types.get(key)
    if (!type) this.types.set(key, (type = { params, index: this.types.size }))
    return type.index
  }
  /** A function imported from "lib"; the result is its number. */
  import(name: string, params: readonly ValueType[]): number {
    const known = this.imports.findIndex(i => i.name === name)
    if (known >= 0) return known
    return this.imports.push({ name, type: this.type(params) }) - 1
  }
  /** A function without result; exported if it has a name. */
  function(name: string | undefined, params: readonly ValueType[], build: (code: Code) => void): number {
    this.body.clear()
    const code = new Code(params, this.body)
    build(code)
    const index = this.imports.length + this.functions.push(this.type(params)) - 1
    if (name !== undefined) this.exports.push({ name, index })
    this.head.clear()
    writeLocals(this.head, code.locals)
    this.code.unsigned(this.head.length + this.body.length + 1)
    this.code.append(this.head)
    this.code.append(this.body)
    this.code.byte(0x0b)
    return index
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const out = new Bytes()
    const s = new Bytes()
    for (const b of [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]) out.byte(b)
    const section = (id: number, count: number, write: () => void): void => {
      s.clear()
      s.unsigned(count)
      write()
      out.byte(id)
      out.unsigned(s.length)
      out.append(s)
    }
    section(1, this.types.size, () => {
      for (const { params } of this.types.values()) {
        s.byte(0x60)
        s.unsigned(params.length)
        for (const t of params) s.byte(typeCodes[t])
        s.unsigned(0)
      }
    })
    section(2, this.imports.length + 1 + Number(this.table), () => {
      for (const { name, type } of this.imports) {
        s.text("lib")
        s.text(name)
        s.byte(0)
        s.unsigned(type)
      }
      s.text("env")
      s.text("memory")
      s.byte(2)
      s.byte(this.shared ? 3 : 1)
      s.unsigned(1)
      s.unsigned(maximumPages)
      if (!this.table) return
      s.text("env")
      s.text("table")
      s.byte(1)
      s.byte(0x70)
      s.byte(0)
      s.unsigned(0)
    })
    section(3, this.functions.length, () => {
      for (const type of this.functions) s.unsigned(type)
    })
    section(7, this.exports.length, () => {
      for (const { name, index } of this.exports) {
        s.text(name)
        s.byte(0)
        s.unsigned(index)
      }
    })
    section(10, this.functions.length, () => s.append(this.code))
    return out.bytes()
  }
}

/** Declarations of locals, neighbours of the same type together. */
function writeLocals(out: Bytes, locals: readonly ValueType[]): void {
  const starts = locals.flatMap((t, i) => (t === locals[i - 1] ? [] : [i]))
  out.unsigned(starts.length)
  starts.forEach((start, run) => {
    out.unsigned((starts[run + 1] ?? locals.length) - start)
    out.byte(typeCodes[locals[start]!])
  })
}
