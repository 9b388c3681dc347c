// Backpropagation through time: a recurrent network written out is a deep one whose layers share their weights, so that the slope of a weight is the
// sum over all times of the slopes of its copies.
import { checkGrads, grad, matmul, random, scan, type Tensor, tanh } from "adjoint"

const turns = 6
const draw = (i: number, shape: number[]) => random.normal(random.fold(random.key(35), i), shape, { dtype: "f64" })
const [w, u] = [draw(0, [3, 3]).mul(0.6), draw(1, [2, 3])]
const [xs, target, h0] = [draw(2, [turns, 2]), draw(3, [3]), draw(4, [3])]
const next = (h: Tensor, x: Tensor, w: Tensor) => tanh(matmul(h, w).add(matmul(x, u)))
const error = (h: Tensor) => h.sub(target).square().sum().mul(0.5)

// a copy of the weights for each time
const unrolled = (copies: Tensor[]) => error(copies.reduce((h, w, t) => next(h, xs.at(t), w), h0))
const each: Tensor[] = grad(unrolled)(Array(turns).fill(w))
for (const [t, g] of each.entries()) console.log(`time ${t + 1}: slope of w[0,1] ${g.at(0).at(1).item().toFixed(6)}`)
const sum = each.reduce((a, b) => a.add(b))

// the same as a loop, whose weights are one tensor
const loop = (w: Tensor, truncate?: number) => {
  const [last] = scan((h: Tensor, x: Tensor) => [next(h, x, w), null] as const, h0, xs, truncate ? { truncate } : {})
  return error(last)
}
const shared = grad(loop)(w) as Tensor
console.log(`sum ${sum.at(0).at(1).item().toFixed(6)}, through the loop ${shared.at(0).at(1).item().toFixed(6)}`)
console.log(`all nine apart by less than 1e-15: ${sum.sub(shared).abs().max().item() < 1e-15}`)
console.log(`${checkGrads(loop, [w]).checks} checks passed`)

// truncated: the gradient goes back three times and no further
const recent = each.slice(3).reduce((a, b) => a.add(b))
const truncated = grad((w: Tensor) => loop(w, 3))(w) as Tensor
console.log(
  `truncated after 3 times: ${truncated.at(0).at(1).item().toFixed(6)}, sum of the last three ${recent.at(0).at(1).item().toFixed(6)}`,
)
