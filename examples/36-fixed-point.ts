// Recurrent backpropagation: activations run until they stand still, h = tanh(W h + x), and then the adjoint does, λ = dE/dh + Wᵀ (1 - h²) λ. No step
// of the way there is kept. A static network (no way back) is there after as many turns as it has layers.
import { checkGrads, fixedPoint, grad, matmul, mul, outer, random, sub, type Tensor, tanh, zeros } from "adjoint"

const n = 4
const draw = (i: number, shape: number[]) => random.normal(random.fold(random.key(36), i), shape, { dtype: "f64" })
const [W, x, target] = [draw(0, [n, n]).mul(0.3), draw(1, [n]), draw(2, [n])]
const nothing = zeros([n], { dtype: "f64" })
const relax = (f: (v: Tensor) => Tensor) => {
  let [v, turns, change] = [nothing, 0, 1]
  for (; change > 1e-13; turns++) {
    const next = f(v)
    change = sub(next, v).abs().max().item()
    v = next
  }
  return { v, turns }
}
const forward = relax(h => tanh(matmul(W, h).add(x)))
const h = forward.v
const slope = sub(1, h.square())
const backward = relax(λ => sub(h, target).add(matmul(W.transpose(), mul(slope, λ))))
console.log(`activations stand still after ${forward.turns} turns, the adjoint after ${backward.turns}`)
const delta = mul(slope, backward.v)
const byHand = { W: outer(delta, h), x: delta }

const E = ({ W, x }: typeof byHand) => {
  const h = fixedPoint((h: Tensor) => tanh(matmul(W, h).add(x)), nothing, { tolerance: 1e-13 })
  return sub(h, target).square().sum().mul(0.5)
}
const g = grad(E)({ W, x })
const apart = Math.max(sub(g.W, byHand.W).abs().max().item(), sub(g.x, byHand.x).abs().max().item())
console.log(`E = ${E({ W, x }).item().toFixed(6)}, dE/dx = ${[...g.x.values()].map(v => v.toFixed(6)).join(" ")}`)
console.log(`by hand as by grad, apart by less than 1e-10: ${apart < 1e-10}`)
console.log(`${checkGrads(E, [{ W, x }], { order: 1 }).checks} checks passed`)

// learning: the network is to stand still at the target
let p = { W, x }
for (let i = 0; i < 100; i++) {
  const d = grad(E)(p)
  p = { W: sub(p.W, mul(d.W, 0.1)), x: sub(p.x, mul(d.x, 0.1)) }
}
console.log(`after 100 steps E = ${E(p).item().toFixed(6)}`)
