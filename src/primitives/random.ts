import { type Shape, sameShape, size } from "../core/aval.ts"
import { DtypeError, ShapeError } from "../core/errors.ts"
import type { Primitive } from "../core/primitive.ts"
import { bind1, type Tensor } from "../core/tensor.ts"
import { int, ravel } from "../ir/affine.ts"
import { compare, constant, index, op } from "../ir/expr.ts"
import { threefry } from "../ir/threefry.ts"
import { spread, toFront } from "./base.ts"

/**
 * 32 random bits for each element: with (a, b) = Threefry-2x32 of `key` at the counter (0, row-major position), a xor b.
 * A key is i32 [..., 2]; the result has the key's leading axes and then `shape`. The same as JAX's "partitionable" bits.
 */
export const randomBitsP: Primitive<{ shape: Shape }> = {
  name: "randomBits",
  shape([key], p) {
    if (key!.dtype !== "i32") throw new DtypeError("random", "a key is i32", [key!])
    if (key!.shape.at(-1) !== 2) throw new ShapeError("random", "a key has shape [2] (make one with random.key)", [key!])
    if (size(p.shape) > 2 ** 31) throw new ShapeError("random", "at most 2^31 numbers from one key", [key!])
    return [{ shape: [...key!.shape.slice(0, -1), ...p.shape], dtype: "i32" }]
  },
  meaning: {
    kind: "map",
    at([key], idx, p) {
      const lead = idx.slice(0, idx.length - p.shape.length)
      const [a, b] = threefry(
        [key!([...lead, int(0)]), key!([...lead, int(1)])],
        [index(int(0)), index(ravel(idx.slice(lead.length), p.shape))],
      )
      return op("xor", a, b)
    },
  },
  jvp: ([key], _ts, p) => [[randomBits(key!, p.shape)], [null]],
  transpose: () => [null],
  batch: ([key], [axis], p) => [[randomBits(toFront(key!, axis!), p.shape)], [0]],
}
export const randomBits = (key: Tensor, shape: Shape): Tensor => bind1(randomBitsP, [key], { shape })

/** A new key [..., 2] from keys [..., 2] and i32 data [...]: both words of Threefry-2x32 at the counter (0, data). The same as JAX's fold_in. */
export const foldInP: Primitive<null> = {
  name: "foldIn",
  shape([key, data]) {
    if (key!.dtype !== "i32" || data!.dtype !== "i32") throw new DtypeError("random.fold", "key and data are i32", [key!, data!])
    if (!sameShape(key!.shape, [...data!.shape, 2]))
      throw new ShapeError("random.fold", "wants keys [..., 2] and data [...]", [key!, data!])
    return [key!]
  },
  meaning: {
    kind: "map",
    at([key, data], idx) {
      const lead = idx.slice(0, -1)
      const [a, b] = threefry([key!([...lead, int(0)]), key!([...lead, int(1)])], [constant("i32", 0), data!(lead)])
      return op("select", compare("eq", index(idx.at(-1)!), constant("i32", 0)), a, b)
    },
  },
  jvp: ([key, data]) => [[foldIn(key!, data!)], [null]],
  transpose: () => [null, null],
  batch: ([key, data], [i, j], _p, n) => [
    [foldIn(spread(toFront(key!, i!), i !== null, n), spread(toFront(data!, j!), j !== null, n))],
    [0],
  ],
}
export const foldIn = (key: Tensor, data: Tensor): Tensor => bind1(foldInP, [key, data], null)
