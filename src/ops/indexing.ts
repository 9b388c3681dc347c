// One place for each element.
import { type Aval, shaped } from "../core/aval.ts"
import { ShapeError } from "../core/errors.ts"
import type { Tensor } from "../core/tensor.ts"
import * as p from "../primitives/index.ts"
import { axisOf, commonShape, repeatTo, wantTensors } from "./align.ts"
import { placesIn } from "./shape.ts"

/**
 * y[..., i, ...] = x[..., indices[..., i, ...], ...]: one place along `axis` (default: the last) for each element of the result. The
 * other axes of `x` and `indices` are aligned.
 *
 * @example
 * const x = tensor([[3, 1, 2], [5, 6, 4]])
 * takeAlongAxis(x, argsort(x))  // [[1, 2, 3], [4, 5, 6]]
 */
export function takeAlongAxis(x: Tensor, indices: Tensor, { axis = -1 }: { readonly axis?: number } = {}): Tensor {
  wantTensors("takeAlongAxis", [x])
  const d = axisOf("takeAlongAxis", x, axis)
  const n = x.shape[d]!
  const places = placesIn("takeAlongAxis", indices, n)
  if (indices.ndim !== x.ndim) throw new ShapeError("takeAlongAxis", "indices must have as many axes as the tensor", [x.aval, indices.aval])
  const one = (a: Aval): Aval => shaped(a.shape.with(d, 1), a)
  const others = commonShape("takeAlongAxis", [one(x.aval), one(indices.aval)])
  const source = repeatTo(x, others.with(d, n))
  const at = repeatTo(places, others.with(d, indices.shape[d]!))
  // as places in the flattened tensor
  let flat = p.zeros(at.aval)
  let stride = 1
  for (let a = at.ndim - 1; a >= 0; a--) {
    const own = a === d ? at : p.broadcast(p.iota(at.shape[a]!), at.shape, p.allAxes(at).toSpliced(a, 1))
    flat = p.add(flat, p.mul(own, p.fullLike(at.aval, stride)))
    stride *= source.shape[a]!
  }
  const inside = p.and(p.le(p.zeros(at.aval), at), p.lt(at, p.fullLike(at.aval, n)))
  return p.gatherOrNaN(p.reshape(source, [source.size]), p.select(inside, flat, p.fullLike(at.aval, -1)), 0)
}
