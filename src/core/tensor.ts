import type { Aval, Shape } from "./aval.ts"
import { size } from "./aval.ts"
import type { Dtype, TypedArray } from "./dtype.ts"
import { LeakedTracerError, TracedReadError } from "./errors.ts"
import type { Primitive } from "./primitive.ts"

/** One way of interpreting a program. Higher levels are inner transformations. */
export abstract class Trace {
  /** False once the transformation has finished: its values must not be used any more. */
  open = true
  readonly level: number
  constructor(level: number) {
    this.level = level
  }
  abstract process<P>(prim: Primitive<P>, args: readonly Tensor[], p: P): readonly Tensor[]
}

export type NestedNumbers = number | NestedNumbers[]
/** `list` of the entries of each axis, down to `leaf` of the places in row-major order. */
export function nest<T>(shape: Shape, leaf: (at: number) => T, list: (length: number, entry: (i: number) => T) => T): T {
  const go = (d: number, from: number, n: number): T => {
    if (d === shape.length) return leaf(from)
    const step = n / shape[d]!
    return list(shape[d]!, i => go(d + 1, from + i * step, step))
  }
  return go(0, 0, size(shape))
}

/**
 * An n-dimensional array of numbers: of known ones, or inside `jit`, `grad` and `vmap` a stand-in that records what happens to it.
 * Tensors never change. Methods are attached in `ops/methods.ts`.
 *
 * @example
 * const x = tensor([[1, 2], [3, 4]])
 * x.shape      // [2, 2]
 * x.dtype      // "f32"
 * x.toArray()  // [[1, 2], [3, 4]]
 */
export abstract class Tensor {
  abstract readonly aval: Aval
  abstract readonly trace: Trace
  /** Lengths of the axes. */
  get shape(): Shape {
    return this.aval.shape
  }
  get dtype(): Dtype {
    return this.aval.dtype
  }
  /** Number of axes. */
  get ndim(): number {
    return this.aval.shape.length
  }
  /** Number of elements. */
  get size(): number {
    return size(this.aval.shape)
  }
  /**
   * The elements in row-major order: this tensor's own memory, not to be written to; those of f16 and bf16 as a new Float32Array.
   * Throws where the value is traced.
   */
  values(read = "values"): TypedArray {
    throw new TracedReadError(read, alive(this).aval)
  }
  /** The number of a tensor with one element. Throws where the value is traced. */
  item(): number {
    if (this.size !== 1) throw new TypeError(`item: needs one element, has shape [${this.shape}]; use toArray()`)
    return this.values("item")[0]!
  }
  /** The elements as nested JavaScript arrays (a number for shape []). Throws where the value is traced. */
  toArray(): NestedNumbers {
    const flat = this.values("toArray")
    return nest<NestedNumbers>(
      this.shape,
      i => flat[i]!,
      (length, entry) => Array.from({ length }, (_, i) => entry(i)),
    )
  }
  /** The elements in row-major order, once they are computed; works on every engine. */
  async data(): Promise<TypedArray> {
    return this.values("data")
  }
  toJSON(): string {
    return String(this)
  }
  /** Text for messages; the number of a tensor with one element where JavaScript compares or computes, as in `if (x > 0)`. */
  [Symbol.toPrimitive](hint: string): string | number {
    if (hint !== "number") return this.toString()
    if (this.size !== 1)
      throw new TypeError(
        `a tensor of shape [${this.shape}] is not a number; compute with functions and methods such as add, less and greater`,
      )
    return this.item()
  }
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return String(this)
  }
}

// Stages take every operation, so they need to be known to `bind` even when no operand carries them. The bottom one runs eagerly.
const stages: Trace[] = []
let depth = 0

export const bottom = (): Trace => {
  const t = stages[0]
  if (!t) throw new Error('no engine is installed: import from "adjoint" or "adjoint/js"')
  return t
}
export const installBottom = (t: Trace): void => void (stages[0] = t)
/** Whether operations run now, that is, outside jit and of the bodies that are recorded. */
export const isEager = (): boolean => stages.length === 1

/** Runs `body` with a fresh trace, which is closed afterwards. A stage is also offered the operations that do not touch its values. */
export function withTrace<T extends Trace, R>(kind: "stage" | "operands", make: (level: number) => T, body: (t: T) => R): R {
  const t = make(++depth)
  if (kind === "stage") stages.push(t)
  try {
    return body(t)
  } finally {
    depth--
    t.open = false
    if (kind === "stage") stages.pop()
  }
}

export function alive<T extends Tensor>(x: T): T {
  if (!x.trace.open) throw new LeakedTracerError(x.aval)
  return x
}

/** The single interception point: the highest of the operands' traces and the innermost open stage decides. */
export function bind<P>(prim: Primitive<P>, args: readonly Tensor[], p: P): readonly Tensor[] {
  let top = stages.at(-1) ?? bottom()
  for (const a of args) {
    const t = a.trace
    if (!t.open) throw new LeakedTracerError(a.aval)
    if (t.level > top.level) top = t
  }
  return top.process(prim, args, p)
}

export const bind1 = <P>(prim: Primitive<P>, args: readonly Tensor[], p: P): Tensor => bind(prim, args, p)[0]!

let path: readonly string[] = []
export const currentScope = (): readonly string[] => path

/**
 * Names what `f` does: nodes recorded meanwhile carry the path of names, in profiles, graphs and explanations.
 *
 * @example
 * console.log(printProgram((x: Tensor) => scope("head", () => x.exp()), [tensor([1])]))
 * // (%0: f32[1]) =>
 * //   %1: f32[1] = exp %0  // head
 * //   return %1
 */
export function scope<T>(name: string | readonly string[], f: () => T): T {
  const before = path
  if (name.length) path = before.concat(name)
  try {
    return f()
  } finally {
    path = before
  }
}
