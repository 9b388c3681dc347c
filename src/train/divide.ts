// Which rows a training learns from, and which it is judged by.
import type { LazyDataset } from "../data/lazy.ts"
import { splitRows } from "../data/split.ts"
import { type Feed, feedOf, held, isLazy, someOf } from "./lazy.ts"
import type { FitOptions } from "./options.ts"
import { type Dataset, pair, type Rows, subset } from "./rows.ts"

/** Training and validation rows; the latter are held in memory. */
export async function divide(
  data: Dataset | LazyDataset,
  validation: FitOptions["validation"],
  seed: number,
): Promise<{ training: Feed; validation: { x: Rows; y: Rows } | undefined }> {
  const apart =
    typeof validation === "object" && (isLazy(validation) ? await held(validation, "fit: validation") : pair(validation, "fit: validation"))
  const share = typeof validation === "number" ? validation : 0
  if (isLazy(data)) {
    if (share === 0) return { training: feedOf(data, "fit"), validation: apart || undefined }
    if (data.ordered)
      throw new TypeError(
        "fit: a share for validation cannot be taken of data that comes in order only; give a data set, such as some examples put aside",
      )
    const split = splitRows(data.rows, { validation: share, seed })
    return { training: feedOf(someOf(data, split.train), "fit"), validation: await held(someOf(data, split.validation), "fit: validation") }
  }
  const all = pair(data, "fit")
  if (share === 0) return { training: all, validation: apart || undefined }
  const split = splitRows(all.x.rows, { validation: share, seed })
  const part = (rows: Int32Array) => ({ x: subset(all.x, rows), y: subset(all.y, rows) })
  return { training: part(split.train), validation: part(split.validation) }
}
