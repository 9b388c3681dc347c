// A step function has the slope 0 wherever it has one: nothing comes back through it, and nothing is learned. Either its slope is replaced by another
// one (straight-through), or units are on by chance with a probability that has a slope.
import { cast, checkGrads, customVjp, grad, matmul, random, relu, sigmoid, sub, type Tensor, tensor } from "adjoint"
import { explain, renderText } from "adjoint/explain"

const step = (a: Tensor) => cast(a.greater(0), "f32")
const x = random.normal(random.key(38), [200, 2])
const t = step(matmul(x, tensor([1, -2])).add(0.3))
const loss = (f: (a: Tensor) => Tensor) => (w: Tensor) =>
  sub(f(matmul(x, w.slice([0, 2])).add(w.at(2))), t)
    .square()
    .mean()
const start = tensor([-0.5, -0.5, 0])

console.log(`gradient through the step: ${grad(loss(step))(start).toArray()}`)
console.log(`checkGrads says so: not differentiable are ${JSON.stringify(checkGrads(step, [tensor([0.3, -2])]).notDifferentiable)}`)
const told = renderText(explain(loss(step), [start], { of: "0[0]" }))
console.log(`explain: ${/Nothing.*/.exec(told)}`)

console.log(`relu has a slope but for x < 0, and 0 at 0: ${grad((x: Tensor) => relu(x).sum())(tensor([-1, 0, 1])).toArray()}`)

// straight-through: the step forwards, the slope of the logistic function backwards
const straight = customVjp(
  (a: Tensor) => step(a),
  (a: Tensor) => [step(a), sigmoid(a)] as const,
  (y: Tensor, ct: Tensor) => [ct.mul(y).mul(sub(1, y))],
)
// stochastic binary units: 1 with probability sigmoid(a), with the slope of that probability
const stochastic = (key: Tensor) =>
  customVjp(
    (a: Tensor) => cast(random.uniform(key, a.shape).less(sigmoid(a)), "f32"),
    (a: Tensor) => [cast(random.uniform(key, a.shape).less(sigmoid(a)), "f32"), sigmoid(a)] as const,
    (y: Tensor, ct: Tensor) => [ct.mul(y).mul(sub(1, y))],
  )
const share = cast(random.uniform(random.key(1), [10_000]).less(sigmoid(tensor(0.5))), "f32").mean()
console.log(
  `a unit of pre-activation 0.5 is on in ${(100 * share.item()).toFixed(0)} % of 10,000 cases, sigmoid(0.5) = ${sigmoid(tensor(0.5)).item().toFixed(4)}`,
)

const kinds = { step: () => step, "straight-through": () => straight, stochastic: (i: number) => stochastic(random.key(i)) }
for (const [name, unit] of Object.entries(kinds)) {
  let w = start
  for (let i = 0; i < 100; i++) w = w.sub(grad(loss(unit(i)))(w).mul(3))
  console.log(`${name}: ${(100 * (1 - loss(step)(w).item())).toFixed(1)} % right after 100 steps`)
}
