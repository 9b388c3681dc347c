// Logistic regression with labels 1 and -1: the error of one example is log(1 + exp(-y s)), s = w · x + b, and its slope by s is -y / (1 + exp(y s)).
// One example a step, as it comes.
import { grad, jit, matmul, mul, random, scan, sign, softplus, type Tensor, tensor } from "adjoint"
import { binaryCrossEntropy } from "adjoint/losses"

const error = (s: Tensor, y: Tensor) => softplus(mul(s, y).neg()) // log(1 + exp(-y s)), for large numbers too
const [s, one] = [tensor(0.7, { dtype: "f64" }), tensor(1, { dtype: "f64" })]
console.log(`s = 0.7, y = 1: error ${error(s, one).item().toFixed(9)}, slope ${grad(error)(s, one).item().toFixed(9)}`)
console.log(`-y / (1 + exp(y s)) = ${(-1 / (1 + Math.exp(0.7))).toFixed(9)}`)
// with labels 1 and 0 it is called binary cross-entropy: -t log p - (1 - t) log(1 - p), p = 1 / (1 + exp(-s))
console.log(`binary cross-entropy: ${binaryCrossEntropy(s, one).item().toFixed(9)}`)

// 2,000 points on both sides of a line
const x = random.normal(random.key(16), [2000, 2])
const y = sign(matmul(x, tensor([2, -1])).add(0.5))
const start = { w: tensor([0, 0]), b: tensor(0) }
type Params = typeof start
const score = ({ w, b }: Params, x: Tensor) => matmul(x, w).add(b)
const loss = (p: Params, x: Tensor, y: Tensor) => error(score(p, x), y)
const step = (p: Params, [x, y]: [Tensor, Tensor]): readonly [Params, null] => {
  const g = grad(loss)(p, x, y)
  return [{ w: p.w.sub(mul(g.w, 0.3)), b: p.b.sub(mul(g.b, 0.3)) }, null]
}
const once = jit((p: Params, x: Tensor, y: Tensor) => scan(step, p, [x, y])[0])
const right = (p: Params) =>
  mul(sign(score(p, x)).mul(y).add(1), 50)
    .mean()
    .item()
let p = start
for (let epoch = 1; epoch <= 3; epoch++) {
  p = once(p, x, y)
  console.log(`epoch ${epoch}: mean error ${loss(p, x, y).mean().item().toFixed(3)}, ${right(p).toFixed(1)} % right`)
}
const [w1, w2] = p.w.values()
console.log(`w1 / w2 = ${(w1! / w2!).toFixed(2)}, the line's is -2`)
