import { size } from "../core/aval.ts"
import { allocate, type TypedArray } from "../core/dtype.ts"
import type { LazyDataset } from "../data/lazy.ts"
import { splitRows } from "../data/split.ts"
import type { Rows } from "./rows.ts"

/** Examples that may have to be waited for: `ready` comes before their rows are read. */
export interface Feed {
  readonly x: Rows
  readonly y: Rows
  /** Whether rows are taken as they come. */
  readonly ordered?: boolean
  ready?(rows: Int32Array, epoch: number): Promise<void>
}

/** A share of the rows held in memory for validation, the rest to train on. */
export async function divideLazily(
  data: LazyDataset,
  share: number,
  seed: number,
): Promise<{ training: Feed; validation: { x: Rows; y: Rows } }> {
  if (data.ordered)
    throw new TypeError(
      "fit: a share for validation cannot be taken of data that comes in order only; give a data set, such as some examples put aside",
    )
  const split = splitRows(data.rows, { validation: share, seed })
  return { training: feedOf(someOf(data, split.train), "fit"), validation: await held(someOf(data, split.validation), "fit: validation") }
}

/** Lazy examples as rows, of which those can be read that were made ready last. Throws TypeError where there are none. */
export function feedOf(data: LazyDataset, name: string): Feed {
  if (!(Number.isSafeInteger(data.rows) && data.rows > 0))
    throw new TypeError(`${name}: the data must have at least 1 row; got ${data.rows}`)
  let loaded: { readonly x: TypedArray; readonly y: TypedArray } | undefined
  const part = (key: "x" | "y"): Rows => ({
    rows: data.rows,
    ...data[key],
    read: (_, into) => into.set(loaded![key]),
  })
  return {
    ...{ x: part("x"), y: part("y"), ordered: data.ordered ?? false },
    async ready(rows, epoch) {
      loaded = await data.load(rows, epoch)
      for (const key of ["x", "y"] as const) {
        const wanted = rows.length * size(data[key].shape)
        if (loaded[key]?.length !== wanted)
          throw new TypeError(`${name}: load gave ${loaded[key]?.length} elements of ${key} for ${rows.length} rows; wanted ${wanted}`)
      }
    },
  }
}

/** Only some of the rows. */
const someOf = (data: LazyDataset, chosen: Int32Array): LazyDataset => ({
  ...data,
  rows: chosen.length,
  load: (rows, epoch) =>
    data.load(
      rows.map(row => chosen[row]!),
      epoch,
    ),
})

/** Rows that are read at a time to be held. */
const AT_ONCE = 4096

/** All examples in memory. */
export async function held(data: LazyDataset, name: string): Promise<{ x: Rows; y: Rows }> {
  const feed = feedOf(data, name)
  const arrays = { x: allocate(data.x.dtype, data.rows * size(data.x.shape)), y: allocate(data.y.dtype, data.rows * size(data.y.shape)) }
  for (let from = 0; from < data.rows; from += AT_ONCE) {
    const rows = Int32Array.from({ length: Math.min(AT_ONCE, data.rows - from) }, (_, i) => from + i)
    await feed.ready!(rows, 0)
    for (const key of ["x", "y"] as const) feed[key].read(rows, arrays[key].subarray(from * size(data[key].shape)))
  }
  const part = (key: "x" | "y"): Rows => ({ ...feed[key], read: readFrom(arrays[key], size(data[key].shape)) })
  return { x: part("x"), y: part("y") }
}

const readFrom =
  (array: TypedArray, n: number): Rows["read"] =>
  (rows, into) => {
    for (let i = 0; i < rows.length; i++) into.set(array.subarray(rows[i]! * n, (rows[i]! + 1) * n), i * n)
  }
