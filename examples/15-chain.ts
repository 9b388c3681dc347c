// Functions in a row on one number: x0 -> x1 = tanh(2 x0) -> x2 = x1² -> E = exp(-x2). Forwards each remembers its input; backwards each
// multiplies what comes back by its own slope there. Nothing is computed forwards again.
import { grad, type Tensor, tensor } from "adjoint"

let calls = 0
const links = [
  { name: "tanh(2x)", f: (x: number) => Math.tanh(2 * x), slope: (x: number) => 2 * (1 - Math.tanh(2 * x) ** 2) },
  { name: "x²", f: (x: number) => x * x, slope: (x: number) => 2 * x },
  { name: "exp(-x)", f: (x: number) => Math.exp(-x), slope: (x: number) => -Math.exp(-x) },
]
const inputs: number[] = []
let x = 0.3
for (const { name, f } of links) {
  calls++
  inputs.push(x) // what backward needs
  x = f(x)
  console.log(`forward  ${name.padEnd(9)} ${x.toFixed(6)}`)
}
let back = 1 // dE/dE
for (const { name, slope } of links.toReversed()) {
  const at = inputs.pop()!
  console.log(`backward ${name.padEnd(9)} ${back.toFixed(6)} · ${slope(at).toFixed(6)} = ${(back * slope(at)).toFixed(6)}`)
  back *= slope(at)
}
console.log(`${calls} calls forwards in all`)

// autograd: write it forwards, and `grad` does the rest
const E = (x: Tensor) => x.mul(2).tanh().square().neg().exp()
const g = grad(E)(tensor(0.3, { dtype: "f64" })).item()
console.log(`grad: ${g.toFixed(6)}, apart by less than 1e-15: ${Math.abs(g - back) < 1e-15}`)

// not only rows: a value that is read several times gets back the sum, here a = tanh(x) in a (a + x)
const skip = (x: Tensor) => x.tanh().mul(x.tanh().add(x))
const [a, slope] = [Math.tanh(0.3), 1 - Math.tanh(0.3) ** 2]
console.log(
  `read twice, and past it: ${grad(skip)(tensor(0.3, { dtype: "f64" }))
    .item()
    .toFixed(9)}, ${(slope * (a + 0.3) + a * (slope + 1)).toFixed(9)}`,
)

// closed forms agree with the chain: d(X² Z + H)/dX = 2 X Z
const cubic = (X: Tensor) => X.square().mul(4).add(7)
console.log(`d(X² Z + H)/dX at X = 3, Z = 4, H = 7: ${grad(cubic)(tensor(3)).item()}`)
