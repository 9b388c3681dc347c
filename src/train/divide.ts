// Which rows a training learns from, and which it is judged by.
import type { LazyDataset } from "../data/lazy.ts"
import { splitRows } from "../data/split.ts"
import type { Feed } from "./lazy.ts"
import type { FitOptions } from "./options.ts"
import { type Dataset, pair, type Rows, subset } from "./rows.ts"

interface Divided {
  readonly training: Feed
  readonly validation: { readonly x: Rows; readonly y: Rows } | undefined
}

const isLazy = (data: Dataset | LazyDataset): data is LazyDataset => typeof (data as LazyDataset)?.load === "function"
/** Loaded when needed: pages whose data are in memory do without. */
const lazily = () => import("./lazy.ts")

/** Training and validation rows; the latter are held in memory. */
export async function divide(data: Dataset | LazyDataset, validation: FitOptions["validation"], seed: number): Promise<Divided> {
  const name = "fit: validation"
  const apart =
    typeof validation !== "object" ? undefined : isLazy(validation) ? await (await lazily()).held(validation, name) : pair(validation, name)
  const share = typeof validation === "number" ? validation : 0
  if (isLazy(data)) {
    const { divideLazily, feedOf } = await lazily()
    return share === 0 ? { training: feedOf(data, "fit"), validation: apart } : divideLazily(data, share, seed)
  }
  const all = pair(data, "fit")
  if (share === 0) return { training: all, validation: apart }
  const split = splitRows(all.x.rows, { validation: share, seed })
  const part = (rows: Int32Array) => ({ x: subset(all.x, rows), y: subset(all.y, rows) })
  return { training: part(split.train), validation: part(split.validation) }
}
