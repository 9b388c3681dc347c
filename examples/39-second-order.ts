// Around the gradient: Jacobians forwards and backwards, the Hessian, and for softmax with cross-entropy the Fisher matrix, which is the Gauss-Newton
// matrix. Levenberg-Marquardt uses the latter: a few steps instead of thousands.
import { checkGrads, grad, hessian, hvp, jacfwd, jacrev, matmul, mul, random, softmax, sub, type Tensor, tanh, zeros } from "adjoint"
import { crossEntropy } from "adjoint/losses"
import { leastSquares, minimize, sgd } from "adjoint/optim"

const draw = (i: number, shape: number[]) => random.normal(random.fold(random.key(39), i), shape, { dtype: "f64" })
const [x, t] = [draw(0, [3]), draw(1, [4]).mul(0).add(0.25)]
const w = draw(2, [12])
const logits = (w: Tensor) => tanh(matmul(x, w.reshape(3, 4))).mul(2)
const E = (w: Tensor) => crossEntropy(logits(w), t)
const apart = (a: Tensor, b: Tensor) => sub(a, b).abs().max().item()
console.log(`${checkGrads(E, [w]).checks} checks passed`)

const J = jacrev(logits)(w) as Tensor
console.log(`Jacobian [${J.shape}] forwards and backwards apart by less than 1e-15: ${apart(jacfwd(logits)(w) as Tensor, J) < 1e-15}`)
const H = hessian(E)(w) as Tensor
const Hv = hvp(E, [w], w) as Tensor // without H
console.log(`Hessian [${H.shape}] is symmetric: ${apart(H, H.transpose()) < 1e-15}; H v without H: ${apart(Hv, matmul(H, w)) < 1e-14}`)

// Fisher: the mean of g gᵀ over the classes that the network itself would draw
const p = softmax(logits(w))
let fisher = zeros([12, 12], { dtype: "f64" })
for (const k of [0, 1, 2, 3]) {
  const g = grad((w: Tensor) => softmax(logits(w)).at(k).log())(w) as Tensor
  fisher = fisher.add(matmul(g.reshape(12, 1), g.reshape(1, 12)).mul(p.at(k)))
}
// Gauss-Newton: Jᵀ (second derivative of the loss by the logits) J
const inner = hessian((a: Tensor) => crossEntropy(a, t))(logits(w)) as Tensor
const gaussNewton = matmul(J.transpose(), matmul(inner, J))
console.log(`Fisher is Gauss-Newton: ${apart(fisher, gaussNewton) < 1e-15}; neither is the Hessian: ${apart(H, fisher) > 1e-3}`)

// a curve of four numbers, by Levenberg-Marquardt and by steepest descent
const at = draw(5, [20])
const curve = (q: Tensor) => mul(q.at(0), tanh(mul(at, q.at(1)).add(q.at(2)))).add(q.at(3))
const goal = curve(draw(6, [4]))
const residuals = (q: Tensor) => sub(curve(q), goal)
const from = draw(6, [4]).add(draw(7, [4]).mul(0.3))
const lm = leastSquares(residuals, from)
const slow = minimize((q: Tensor) => residuals(q).square().sum().mul(0.5), from, { method: sgd(0.02), iterations: 2000 })
console.log(
  `Levenberg-Marquardt: cost ${lm.cost.toExponential(0)} after ${lm.iterations} steps; descent: ${slow.loss.toExponential(0)} after ${slow.iterations}`,
)
