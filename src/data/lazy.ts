import { type Shape, size } from "../core/aval.ts"
import { allocate, type Dtype, type TypedArray } from "../core/dtype.ts"
import { encode } from "./encode.ts"
import { type Encoding, featureNames } from "./encoding.ts"
import type { Sequence } from "./sequence.ts"
import { shuffle } from "./split.ts"
import type { TableFile } from "./table-file.ts"

/** What one input or one target is. */
export interface RowForm {
  readonly shape: Shape
  readonly dtype: Dtype
}

/** Inputs and targets that are read when they are needed: `fit` takes them in the place of `{ x, y }`. */
export interface LazyDataset {
  readonly rows: number
  readonly x: RowForm
  readonly y: RowForm
  /** Whether rows come in order only: then their order in each epoch is the data set's own affair. */
  readonly ordered?: boolean
  /** The given rows, one after another, in an epoch (counted from 1; validation is epoch 0). */
  load(rows: Int32Array, epoch: number): Promise<{ readonly x: TypedArray; readonly y: TypedArray }>
}

/**
 * The rows of a table that stays in its file as inputs and targets, encoded as in memory. `fit` reads them in the order in which it would
 * take them from memory, and learns the same, bit for bit.
 *
 * A large Parquet file can be read part by part only. Its parts come in another order in each epoch, and the rows of each part too; a
 * share for validation cannot be taken of it.
 *
 * @throws DataError for what `encode` refuses, when the row in question is read.
 * @example
 * const file = await openTable(new Blob(["size,kind\n1,a\n3,b\n2,a\n4,b\n"]))
 * const encoding = fitEncoding(await file.sample(10_000, 1), { target: "kind" })
 * datasetOf(file, encoding).rows  // 4
 */
export function datasetOf(file: TableFile, encoding: Encoding): LazyDataset {
  const order = file.parts && partwise(file.parts, file.rows)
  return {
    rows: file.rows,
    x: { shape: [featureNames(encoding).length], dtype: "f32" },
    y: encoding.target.kind === "class" ? { shape: [], dtype: "i32" } : { shape: [1], dtype: "f32" },
    ...(order && { ordered: true }),
    async load(rows, epoch) {
      const table = await file.read(order ? rows.map(row => order(epoch)[row]!) : rows)
      const { x, y } = encode(encoding, table, { target: true })
      return { x, y: y! }
    },
  }
}

/** The order of each epoch: parts one after another, mixed, and rows mixed in each. The last order is kept. */
function partwise(parts: readonly number[], rows: number): (epoch: number) => Int32Array {
  let last = -1
  const order = new Int32Array(rows)
  return epoch => {
    if (epoch === last) return order
    last = epoch
    let at = 0
    for (const part of shuffle(parts.length, epoch, 0)) {
      const first = parts[part]!
      for (const i of shuffle((parts[part + 1] ?? rows) - first, epoch, part + 1)) order[at++] = first + i
    }
    return order
  }
}

/** One input and what the model should answer: numbers, or flat arrays of them. */
export interface Example {
  readonly x: number | ArrayLike<number>
  readonly y: number | ArrayLike<number>
}

/** What `examplesOf` is told: the form of one input and of one target. Default dtype: "f32". */
export interface ExampleForms {
  readonly x: { readonly shape: Shape; readonly dtype?: Dtype }
  readonly y: { readonly shape: Shape; readonly dtype?: Dtype }
}

/**
 * The examples of a lazy sequence for `fit`, which takes epoch 1, 2, ... of it. A sequence that does not know its length is gone
 * through once, to count.
 *
 * @throws TypeError for examples of another form, or of another number in a later epoch, when they are read.
 * @example
 * const numbers = sequence([0, 1, 2, 3]).map(x => ({ x: [x], y: [2 * x] })).shuffle({ seed: 1 })
 * const data = await examplesOf(numbers, { x: { shape: [1] }, y: { shape: [1] } })
 * const { params } = await fit(dense(1, 1), data, { loss: squaredError, optimizer: adam(0.1), epochs: 200, batchSize: 2 }).result
 * params.w  // [[2.0]]
 */
export async function examplesOf(examples: Sequence<Example>, { x, y }: ExampleForms): Promise<LazyDataset> {
  const forms = { x: { dtype: "f32", ...x }, y: { dtype: "f32", ...y } } as const
  const rows = examples.length ?? (await counted(examples))
  let [position, current] = [0, -1]
  let iterator: AsyncGenerator<Example> | undefined
  return {
    ...{ rows, ...forms, ordered: true },
    async load(wanted, epoch) {
      if (epoch !== current || wanted[0] !== position) {
        await iterator?.return(undefined)
        ;[iterator, current, position] = [examples.epoch(epoch), epoch, 0]
      }
      const into = { x: allocate(forms.x.dtype, wanted.length * size(x.shape)), y: allocate(forms.y.dtype, wanted.length * size(y.shape)) }
      for (let i = 0; i < wanted.length; i++) {
        const { done, value } = await iterator!.next()
        if (done) throw new TypeError(`examplesOf: epoch ${epoch} gave ${position} examples; wanted ${rows}, as many as at first`)
        put(value.x, into.x, i, size(x.shape), "x")
        put(value.y, into.y, i, size(y.shape), "y")
        position++
      }
      if (position === rows && !(await iterator!.next()).done)
        throw new TypeError(`examplesOf: epoch ${epoch} gave more than ${rows} examples, as many as at first`)
      return into
    },
  }
}

async function counted(examples: Sequence<Example>): Promise<number> {
  let n = 0
  for await (const _ of examples) n++
  return n
}

function put(value: number | ArrayLike<number>, into: TypedArray, row: number, n: number, name: string): void {
  if (typeof value === "number" && n === 1) into[row] = value
  else if (
    typeof value === "object" &&
    value?.length === n &&
    (ArrayBuffer.isView(value) || Array.from(value).every(x => typeof x === "number"))
  )
    into.set(value, row * n)
  else {
    const got = typeof value === "object" && value !== null ? `${value.length} elements` : typeof value
    throw new TypeError(`examplesOf: wants ${name} as ${n === 1 ? "a number" : `a flat array of ${n} numbers`}; got ${got}`)
  }
}
