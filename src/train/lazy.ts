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
  readonly sample?: Sample
}

/** The rows that were read first, kept for looks at the training: those of lazy data cannot be read at any time. They become more. */
export interface Sample {
  readonly x: Rows
  readonly y: Rows
  /** Whether all of them are there: looks that are compared want the same rows. */
  readonly full: () => boolean
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
  let loaded: Loaded | undefined
  const sample = new FirstRows(data)
  const part = (key: "x" | "y"): Rows => ({
    rows: data.rows,
    ...data[key],
    read: (_, into) => into.set(loaded![key]),
  })
  return {
    ...{ x: part("x"), y: part("y"), ordered: data.ordered ?? false, sample },
    async ready(rows, epoch) {
      loaded = await data.load(rows, epoch)
      for (const key of ["x", "y"] as const) {
        const wanted = rows.length * size(data[key].shape)
        if (loaded[key]?.length !== wanted)
          throw new TypeError(`${name}: load gave ${loaded[key]?.length} elements of ${key} for ${rows.length} rows; wanted ${wanted}`)
      }
      sample.add(loaded, rows.length)
    },
  }
}

interface Loaded {
  readonly x: TypedArray
  readonly y: TypedArray
}
/** Elements that are kept of inputs and of targets, but at least what was read first: a batch. */
const KEPT = 1 << 18

/** Copies of the first rows. */
class FirstRows implements Sample {
  private readonly data: LazyDataset
  private kept: Loaded | undefined
  private rows = 0
  private room = 0
  readonly x: Rows
  readonly y: Rows
  constructor(data: LazyDataset) {
    this.data = data
    this.x = this.part("x")
    this.y = this.part("y")
  }
  readonly full = (): boolean => this.room > 0 && this.rows === this.room
  add(loaded: Loaded, count: number): void {
    const { x, y, rows } = this.data
    const [nx, ny] = [size(x.shape), size(y.shape)]
    this.room ||= Math.min(rows, Math.max(count, Math.floor(KEPT / Math.max(nx, ny, 1))))
    this.kept ??= { x: allocate(x.dtype, this.room * nx), y: allocate(y.dtype, this.room * ny) }
    const some = Math.min(count, this.room - this.rows)
    if (some === 0) return
    this.kept.x.set(loaded.x.subarray(0, some * nx), this.rows * nx)
    this.kept.y.set(loaded.y.subarray(0, some * ny), this.rows * ny)
    this.rows += some
  }
  private part(key: "x" | "y"): Rows {
    const n = size(this.data[key].shape)
    const rows = (): number => this.rows
    return {
      ...this.data[key],
      get rows() {
        return rows()
      },
      read: (rows, into) => readFrom(this.kept![key], n)(rows, into),
    }
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
