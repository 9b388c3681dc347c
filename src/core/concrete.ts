import { type Aval, type Shape, show, size, wantShape } from "./aval.ts"
import { allocate, type Dtype, fractionOf, type TypedArray, wantDtype } from "./dtype.ts"
import { DonatedTensorError } from "./errors.ts"
import { bottom, nest, Tensor, type Trace } from "./tensor.ts"

/** Where a tensor's numbers are, or will be. The runtime adds pending computations. */
export interface Storage {
  /** The storage that has the numbers, computed if need be. Throws where they were given away. */
  settled(): Settled
  /** The numbers, computed or fetched if need be. They stay what they are. */
  read(): TypedArray
  /** There is nothing here any more: reading says so. */
  readonly donated?: true
}
/** Where there are numbers. The runtime adds memory of the engine. */
export interface Settled extends Storage {
  /** The numbers where they lie, to be used at once: the next program may move or overwrite them. */
  view(): TypedArray
  /** These numbers in a storage that may be written over: a copy where someone has read them. */
  own(): Settled
}
/** Numbers in an array that belongs to JavaScript's garbage collector, until an engine takes them to where it works. */
export class Host implements Settled {
  private array: TypedArray | undefined
  private moved: Settled | undefined
  private shown = false
  /** How many programs have had a copy. */
  copies = 0
  constructor(array: TypedArray) {
    this.array = array
  }
  read(): TypedArray {
    this.shown = true
    return (this.array ??= this.moved!.read())
  }
  view(): TypedArray {
    return this.array ?? this.moved!.view()
  }
  own(): Settled {
    return this.moved ?? (this.shown ? new Host(this.array!.slice()) : this)
  }
  settled(): Settled {
    return this.moved ?? this
  }
  /** The numbers are in `storage` from now on; an array that someone has read stays. */
  move(storage: Settled): void {
    this.moved = storage
    if (!this.shown) this.array = undefined
  }
}
/** The memory was given away. */
export class Donated implements Storage {
  readonly donated = true
  readonly aval: Aval
  constructor(aval: Aval) {
    this.aval = aval
  }
  readonly settled = (): never => {
    throw new DonatedTensorError(this.aval)
  }
  readonly read = this.settled
}

/** A tensor whose numbers are known, or will be as soon as they are read. */
export class Concrete extends Tensor {
  readonly aval: Aval
  storage: Storage
  constructor(aval: Aval, storage: Storage) {
    super()
    this.aval = aval
    this.storage = storage
  }
  get trace(): Trace {
    return bottom()
  }
  override values(): TypedArray {
    return storedOf(fractionOf(this.dtype) ? converted(this, "f32") : this)
  }
  override toString(): string {
    if (this.storage.donated) return `Tensor ${show(this.aval)} (donated)`
    return `Tensor ${show(this.aval)} ${format(this.values(), this.aval)}`
  }
}

/** The elements as they lie in memory, not to be written to: the bits of f16 and bf16. */
export const storedOf = (x: Concrete): TypedArray => x.storage.read()

type Conversion = (x: Concrete, dtype: Dtype) => Concrete
let converted: Conversion = () => {
  throw new Error('f16 and bf16 want a call of cast before, or import "adjoint"')
}
/** What makes numbers of 16 bits out of others, and others out of them. */
export const installConversion = (c: Conversion): void => void (converted = c)

export type Nested = number | boolean | TypedArray | readonly Nested[]
export interface TensorOptions {
  /** Default: that of a Float32Array, Float64Array, Int32Array or Uint8Array ("u8"); "bool" for booleans; else "f32". */
  readonly dtype?: Dtype
  /** Shape for flat data. Default: that of the nesting. */
  readonly shape?: Shape
}

/**
 * A tensor of the given numbers, which are copied.
 *
 * Shapes: nested arrays of equal lengths give their shape; `shape` gives another one to flat data.
 * Whole numbers that do not fit i32 or u8 are stored as typed arrays store them; f16 and bf16 are rounded to nearest, ties to even.
 * Throws TypeError for ragged nesting, for contents that are not numbers and for sizes that do not fit.
 *
 * @example
 * tensor([[1, 2, 3], [4, 5, 6]])            // f32[2,3]
 * tensor(2, { dtype: "f64" })               // f64[]
 * tensor(new Float32Array(6), { shape: [2, 3] })
 */
export function tensor(data: Nested, options: TensorOptions = {}): Tensor {
  if (options.dtype !== undefined) wantDtype("tensor", options.dtype)
  const nested = shapeOf(data)
  const n = size(nested)
  const { shape = nested, dtype = naturalDtype(data) } = options
  wantShape("tensor", shape)
  if (size(shape) !== n) throw new TypeError(`tensor: ${n} elements do not fill shape [${shape}], which has ${size(shape)}`)
  if (fractionOf(dtype)) return converted(tensor(data, { shape, dtype: "f64" }) as Concrete, dtype)
  const array = allocate(dtype, n)
  let next = 0
  const fill = (x: Nested, d: number): void => {
    if (!isNumber(x) && !isList(x)) throw notNumbers(x)
    if ((isNumber(x) ? undefined : x.length) !== nested[d])
      throw new TypeError(`tensor: nested arrays must have equal lengths; there is another than in shape [${nested}] at depth ${d}`)
    if (isNumber(x)) array[next++] = Number(dtype === "bool" ? x !== 0 && x !== false : x)
    else if (ArrayBuffer.isView(x)) {
      array.set(x as TypedArray, next)
      next += x.length
    } else for (const y of x as readonly Nested[]) fill(y, d + 1)
  }
  fill(data, 0)
  return fromArray(array, { shape: [...shape], dtype })
}

/** A tensor that owns `array` from now on: nothing is copied, so nobody may write to it any more. */
export const fromArray = (array: TypedArray, aval: Aval): Concrete => new Concrete(aval, new Host(array))
/** A JavaScript number is weak, so that it takes the dtype of the tensor it meets. */
export const numberAval: Aval = { shape: [], dtype: "f64", weak: true }
export const number = (x: number): Concrete => fromArray(Float64Array.of(x), numberAval)

function shapeOf(data: Nested): number[] {
  const shape: number[] = []
  for (let x: Nested = data; ; x = (x as readonly Nested[])[0]!) {
    if (isNumber(x)) return shape
    if (!isList(x)) throw notNumbers(x)
    shape.push(x.length)
    if (ArrayBuffer.isView(x) || x.length === 0) return shape
  }
}
const isNumber = (x: unknown): x is number | boolean => typeof x === "number" || typeof x === "boolean"
const isList = (x: unknown): x is TypedArray | readonly Nested[] => Array.isArray(x) || (ArrayBuffer.isView(x) && "length" in x)
const notNumbers = (x: unknown): TypeError =>
  new TypeError(
    `tensor: wants numbers, booleans, typed arrays or nested arrays of them; got ${
      x instanceof Tensor ? "a tensor. Join tensors with stack or concat" : x === null ? "null" : typeof x
    }`,
  )
function naturalDtype(data: Nested): Dtype {
  let x = data
  while (Array.isArray(x)) x = x[0]
  if (typeof x === "boolean") return "bool"
  if (x instanceof Float64Array) return "f64"
  if (x instanceof Int32Array) return "i32"
  if (x instanceof Uint8Array) return "u8"
  return "f32"
}

/** Values abbreviated to four digits and, in long axes, to the first and last three. */
function format(values: TypedArray, { shape, dtype }: Aval): string {
  const text = (x: number): string => {
    if (dtype === "bool") return `${x > 0}`
    if (Number.isInteger(x)) return Math.abs(x) < 1e15 ? `${x}` : x.toExponential(3)
    return `${Number(x.toPrecision(4))}`
  }
  return nest(
    shape,
    i => text(values[i]!),
    (n, entry) => {
      const shown = n > 8 ? [0, 1, 2, -1, n - 3, n - 2, n - 1] : [...Array(n).keys()]
      return `[${shown.map(i => (i < 0 ? "..." : entry(i))).join(", ")}]`
    },
  )
}
