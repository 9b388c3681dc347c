// What an error looks like over its weights: a parabola, a trough with many minima, one bowl once a second case is learned, two valleys, a plateau.
// Steepest descent on each; pictures as SVG.
import { grad, hessian, jit, sigmoid, type Tensor, tensor } from "adjoint"
import { line, surface } from "./charts.ts"

const f64 = (v: readonly number[]) => tensor(v, { dtype: "f64" })
/** Steepest descent: every point from `start` on. */
function descend(E: (w: Tensor) => Tensor, start: readonly [number, number], eta: number, steps: number) {
  const step = jit((w: Tensor) => w.sub(grad(E)(w).mul(eta)))
  const way = [start]
  for (let i = 0; i < steps; i++) way.push([...step(f64(way.at(-1)!)).values()] as [number, number])
  return way
}
const show = (w: readonly number[]) => `(${w.map(v => v.toFixed(3)).join(", ")})`

// a linear neuron with one weight: E = ½ (w x - t)² is a parabola
const x = Array.from({ length: 81 }, (_, i) => i / 10 - 4)
line("20-parabola.svg", { title: "One linear weight", x: "w", y: "E" }, { "½ (w - 1)²": x.map(w => [w, 0.5 * (w - 1) ** 2]) })

// two weights, one case (1, 1) -> 0: a cylinder with its trough on w1 = -w2
const trough = (w: Tensor) => w.sum().square()
const down = descend(trough, [0.3, 0.5], 0.1, 40)
console.log(`trough: from (0.3, 0.5) to ${show(down.at(-1)!)}`)
for (const eta of [0.1, 0.25, 0.5, 0.51]) {
  const [, w] = descend(trough, [0.3, 0.5], eta, 1)
  console.log(`  a step of ${eta}: error 0.64 -> ${trough(f64(w!)).item().toFixed(6)}`)
}
// a second case (1, -1) -> 1 leaves one minimum
const bowl = (w: Tensor) => trough(w).add(w.at(0).sub(w.at(1)).sub(1).square())
const unique = descend(bowl, [0.3, 0.5], 0.1, 60)
console.log(`a second case: from (0.3, 0.5) to ${show(unique.at(-1)!)}`)
// two valleys: where it ends depends on where it starts, and the other one is deeper
const wells = (w: Tensor) => w.at(0).square().sub(1).square().add(w.at(0).mul(0.3)).add(w.at(1).square())
const ways = ([-0.5, 0.5] as const).map(start => descend(wells, [start, 0.8], 0.05, 100))
for (const way of ways) {
  const lowest = wells(f64(way.at(-1)!)).item()
  console.log(`two valleys: to ${show(way.at(-1)!)}, error ${lowest.toFixed(3)}`)
}
// a plateau: two saturated logistic units in a row
const hidden = (w: Tensor) => sigmoid(w.at(0).mul(10))
const plateau = (w: Tensor) =>
  sigmoid(hidden(w).mul(w.at(1)).mul(10))
    .sub(1)
    .square()
const flat = descend(plateau, [-1, -1], 1, 100)
console.log(`plateau: 100 steps of rate 1 from (-1, -1) to ${show(flat.at(-1)!)}`)
// near a point an error is a paraboloid, E + gᵀd + ½ dᵀH d: what is left falls with the third power of d
const [at, g, H] = [f64([0.5, 0.8]), grad(wells)(f64([0.5, 0.8])), hessian(wells)(f64([0.5, 0.8]))]
for (const d of [f64([0.1, 0.1]), f64([0.05, 0.05])]) {
  const linear = g.matmul(d)
  const rest = wells(at.add(d))
    .sub(wells(at))
    .sub(linear.add(d.matmul(H.matmul(d)).mul(0.5)))
  console.log(`the paraboloid is off by ${rest.item().toExponential(2)}`)
}
surface("20-trough.svg", "One case", trough, 1.5, down)
surface("20-bowl.svg", "Two cases", bowl, 1.5, unique)
surface("20-wells.svg", "Two valleys", wells, 1.5, ways[1])
surface("20-plateau.svg", "A plateau", plateau, 1.5, flat)
