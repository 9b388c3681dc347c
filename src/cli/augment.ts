// Training images that are a little different in each epoch.
import type { Shape } from "../core/aval.ts"
import { allocate } from "../core/dtype.ts"
import { mirrored, moved } from "../data/images/resize.ts"
import type { LazyDataset } from "../data/lazy.ts"
import { draws } from "../data/split.ts"
import { formOf } from "./convolutions.ts"
import type { Settings } from "./network.ts"
import type { Labelled } from "./problem.ts"

/**
 * Images [pixels] that are moved by up to `shift` pixels, black where nothing comes from, and mirrored every second time, as they are read.
 * What becomes of one depends on seed, epoch and its number alone, so a training that goes on sees what an unbroken one would.
 */
export function augmented({ x, y }: Pick<Labelled, "x" | "y">, image: Shape, { seed, flip, shift }: Settings): LazyDataset {
  const [height, width, channels] = formOf(image)
  const size = [height, width] as const
  const pixels = height * width * channels
  const change = (data: Float32Array, draw: (n: number) => number): Float32Array => {
    const by = () => draw(2 * shift + 1) - shift
    const there = shift > 0 ? moved(data, size, channels, [by(), by()]) : data
    return flip && draw(2) === 1 ? mirrored(there, size, channels) : there
  }
  return {
    rows: x.rows,
    x: { shape: x.shape, dtype: x.dtype },
    y: { shape: y.shape, dtype: y.dtype },
    async load(rows, epoch) {
      const into = { x: new Float32Array(rows.length * pixels), y: allocate(y.dtype, rows.length) }
      x.read(rows, into.x)
      y.read(rows, into.y)
      for (const [i, row] of rows.entries()) {
        const one = into.x.subarray(i * pixels, (i + 1) * pixels)
        one.set(change(one, draws(seed, epoch, row)))
      }
      return into
    },
  }
}
