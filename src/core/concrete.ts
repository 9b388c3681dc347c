import { type Aval, type Shape, show, size } from "./aval.ts"
import { allocate, type Dtype, isDtype, type TypedArray } from "./dtype.ts"
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
    return this.storage.read()
  }
  override toString(): string {
    if (this.storage.donated) return `Tensor ${show(this.aval)} (donated)`
    return `Tensor ${show(this.aval)} ${format(this.values(), this.aval)}`
  }
}

export type Nested = number | boolean | TypedArray | readonly Nested[]
export interface TensorOptions {
  /** Default: that of a typed array; "bool" for booleans; else "f32". */
  readonly dtype?: Dtype
  /** Shape for flat data. Default: that of the nesting. */
  readonly shape?: Shape
}

/**
 * A tensor of the given numbers, which are copied.
 *
 * Shapes: nested arrays of equal lengths give their shape; `shape` gives another one to flat data.
 * Throws TypeError for ragged nesting, for contents that are not numbers and for sizes that do not fit.
 *
 * @example
 * tensor([[1, 2, 3], [4, 5, 6]])            // f32[2,3]
 * tensor(2, { dtype: "f64" })               // f64[]
 * tensor(new Float32Array(6), { shape: [2, 3] })
 */
export function tensor(data: Nested, options: TensorOptions = {}): Tensor {
  if (options.dtype !== undefined && !isDtype(options.dtype))
    throw new TypeError(`tensor: dtype must be "f32", "f64", "i32" or "bool"; got ${JSON.stringify(options.dtype)}`)
  const nested = shapeOf(data)
  const n = size(nested)
  const { shape = nested, dtype = naturalDtype(data) } = options
  if (!shape.every(d => Number.isInteger(d) && d >= 0)) throw new TypeError(`tensor: a shape has whole numbers >= 0; got [${shape}]`)
  if (size(shape) !== n) throw new TypeError(`tensor: ${n} elements do not fill shape [${shape}], which has ${size(shape)}`)
  const array = allocate(dtype, n)
  let next = 0
  const fill = (x: Nested, d: number): void => {
    if (typeof x !== "number" && typeof x !== "boolean" && !isList(x)) throw notNumbers(x)
    if (d < nested.length !== (typeof x === "object") || (typeof x === "object" && x.length !== nested[d]))
      throw new TypeError(`tensor: nested arrays must have equal lengths; there is another than in shape [${nested}] at depth ${d}`)
    if (typeof x === "number" || typeof x === "boolean") array[next++] = dtype === "bool" ? Number(x !== 0 && x !== false) : Number(x)
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
    if (typeof x === "number" || typeof x === "boolean") return shape
    if (!isList(x)) throw notNumbers(x)
    shape.push(x.length)
    if (ArrayBuffer.isView(x) || x.length === 0) return shape
  }
}
const isList = (x: unknown): x is TypedArray | readonly Nested[] => Array.isArray(x) || (ArrayBuffer.isView(x) && "length" in x)
const notNumbers = (x: unknown): TypeError =>
  new TypeError(
    `tensor: wants numbers, booleans, typed arrays or nested arrays of them; got ${x instanceof Tensor ? "a tensor" : x === null ? "null" : typeof x}` +
      (x instanceof Tensor ? ". Join tensors with stack or concat" : ""),
  )
function naturalDtype(data: Nested): Dtype {
  let x = data
  while (Array.isArray(x)) x = x[0]
  if (typeof x === "boolean") return "bool"
  if (x instanceof Float64Array) return "f64"
  if (x instanceof Int32Array) return "i32"
  return "f32"
}

/** Values abbreviated to four digits and, in long axes, to the first and last three. */
function format(values: TypedArray, { shape, dtype }: Aval): string {
  const text = (x: number): string => {
    if (dtype === "bool") return x ? "true" : "false"
    if (dtype === "i32" || !Number.isFinite(x) || Number.isInteger(x)) return Math.abs(x) < 1e15 ? `${x}` : x.toExponential(3)
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
