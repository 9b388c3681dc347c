// Momentum in two forms. Averaging: Δw(n) = α Δw(n-1) - (1 - α) η g. Usual: v <- α v + g, w <- w - η' v. They are the same for η' = (1 - α) η.
import { grad, type Tensor, tensor } from "adjoint"
import { momentum, sgd } from "adjoint/optim"

const [eta, alpha] = [0.1, 0.9]
const E = (w: Tensor) => w.square().mul(0.5)
const start = tensor(1, { dtype: "f64" })

let [w, change] = [1, 0]
const averaging = Array.from({ length: 100 }, () => {
  change = alpha * change - (1 - alpha) * eta * w // the gradient of w² / 2 is w
  return (w += change)
})
function run(rule: ReturnType<typeof sgd>): number[] {
  let [w, state] = [start, rule.init(start)]
  return Array.from({ length: 100 }, () => {
    ;[w, state] = rule.update(grad(E)(w), state, w) as [Tensor, typeof state]
    return w.item()
  })
}
const usual = run(momentum((1 - alpha) * eta, alpha))
console.log(
  "averaging:",
  averaging
    .slice(0, 3)
    .map(w => w.toFixed(6))
    .join(" "),
)
console.log(
  "usual:    ",
  usual
    .slice(0, 3)
    .map(w => w.toFixed(6))
    .join(" "),
)
console.log(`100 steps apart by less than 1e-14: ${Math.max(...usual.map((w, i) => Math.abs(w - averaging[i]!))) < 1e-14}`)
console.log(
  `without momentum: ${run(sgd(eta))
    .slice(0, 3)
    .map(w => w.toFixed(6))
    .join(" ")}`,
)
