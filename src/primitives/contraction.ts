import { sameShape, shaped } from "../core/aval.ts"
import { ShapeError } from "../core/errors.ts"
import type { Primitive } from "../core/primitive.ts"
import { bind1, type Tensor } from "../core/tensor.ts"
import { axisIndex, newAxis } from "../ir/affine.ts"
import { op, reduce } from "../ir/expr.ts"
import { known, moveAxis, permute, spread, wantAlike } from "./base.ts"
import { definePrimitive } from "./define.ts"
import { reshape } from "./structure.ts"

/** The last two axes exchanged. */
export const swap = (x: Tensor): Tensor => {
  const r = x.ndim
  return permute(
    x,
    x.shape.map((_, i) => (i === r - 1 ? r - 2 : i === r - 2 ? r - 1 : i)),
  )
}

/** [n, ..., k, m] as [..., n * k, m] */
const rows = (x: Tensor): Tensor => {
  const y = moveAxis(x, 0, x.ndim - 3)
  return reshape(y, [...y.shape.slice(0, -3), y.shape.at(-3)! * y.shape.at(-2)!, y.shape.at(-1)!])
}

/** [..., m, k] by [..., k, n]; leading axes equal. */
export const matmulP: Primitive<null> = /*@__PURE__*/ definePrimitive<null>({
  name: "matmul",
  shape([a, b]) {
    const r = a!.shape.length
    wantAlike("matmul", a!, b!)
    const lead = sameShape(a!.shape.slice(0, -2), b!.shape.slice(0, -2))
    if (r < 2 || b!.shape.length !== r || a!.shape[r - 1] !== b!.shape[r - 2] || !lead)
      throw new ShapeError("matmul", "wants [..., m, k] and [..., k, n]", [a!, b!])
    return shaped([...a!.shape.slice(0, -1), b!.shape[r - 1]!], a!.weak ? b! : a!)
  },
  kind: "contraction",
  at([x, y], idx, _p, [a]) {
    const lead = idx.slice(0, -2)
    const [i, j] = idx.slice(-2)
    const over = newAxis(a!.shape.at(-1)!)
    const k = axisIndex(over)
    return reduce("sum", [over], op("mul", x!([...lead, i!, k]), y!([...lead, k, j!])))
  },
  push: [(t, [, y]) => matmul(t, y!), (t, [x]) => matmul(x!, t)],
  pull: [(ct, [, y]) => matmul(ct, swap(known(y))), (ct, [x]) => matmul(swap(known(x)), ct)],
  batch([x, y], [left, right], _p, n) {
    // examples against one common matrix are more rows, not copies of the matrix
    if (!right && x!.ndim === 3) {
      const [, m, k] = x!.shape
      return reshape(matmul(reshape(x!, [n * m!, k!]), y!), [n, m!, y!.shape[1]!])
    }
    return matmul(spread(x!, left!, n), spread(y!, right!, n))
  },
  total: ([x, y]) => matmul(swap(rows(swap(x!))), rows(y!)),
})
export const matmul = (x: Tensor, y: Tensor): Tensor => bind1(matmulP, [x, y], null)
