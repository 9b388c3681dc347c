// The network of textbooks: two inputs, two hidden logistic units, three classes by softmax, dummy units that are always 1 for the biases.
import { concat, full, grad, jit, log, matmul, mul, sigmoid, softmax, sub, type Tensor, tensor, vjp } from "adjoint"

const f64 = (v: number[] | number[][]) => tensor(v, { dtype: "f64" })
const w = f64([
  [0.1, 0.2, 0.3],
  [-0.4, 0.5, -0.6],
]) // biases last
const v = f64([
  [0.7, -0.8, 0.9],
  [-1, 1.1, -1.2],
  [0.13, 0.14, -0.15],
])
const [x, t] = [f64([0.5, -1]), f64([0, 0, 1])]
const start = { w, v }
console.log(`${w.size + v.size} parameters`)

const withOne = (z: Tensor) => concat([z, f64([1])])
const hidden = (w: Tensor, x: Tensor) => sigmoid(matmul(w, withOne(x)))
const output = ({ w, v }: typeof start, x: Tensor) => softmax(matmul(v, withOne(hidden(w, x))))
const E = (p: typeof start) =>
  mul(t, log(output(p, x)))
    .sum()
    .neg()
console.log("y", output(start, x).toArray(), "E", E(start).item())

// deltas: y - t at the output (softmax and cross-entropy together), z (1 - z) times what comes back in the hidden layer
const [y, z] = [output(start, x), hidden(w, x)]
const delta2 = sub(y, t)
const back = matmul(delta2, v).slice([0, 2]) // the dummy unit has no inputs
const delta1 = mul(mul(z, sub(1, z)), back)
console.log("delta2", delta2.toArray(), "delta1", delta1.toArray())

// slope of a weight: delta at its output end times value at its input end; the same by grad
const byHand = { v: matmul(delta2.reshape(3, 1), withOne(z).reshape(1, 3)), w: matmul(delta1.reshape(2, 1), withOne(x).reshape(1, 3)) }
const g = grad(E)(start)
const apart = (a: Tensor, b: Tensor) => sub(a, b).abs().max().item()
console.log(`grad differs by less than 1e-15: ${apart(byHand.v, g.v) < 1e-15 && apart(byHand.w, g.w) < 1e-15}`)

// delta2 the long way, through the Jacobian of softmax: dE/dy = -t / y, dy_i/da_k = y_i (1[i = k] - y_k)
const [, pull] = vjp((a: Tensor) => softmax(a), matmul(v, withOne(z)))
console.log("through softmax", pull(t.div(y).neg())[0].toArray())

// an update lowers v where y is too large, leaves it where y = t, and moves it in proportion to z
const update = g.v.mul(-0.1)
console.log("update of v, class 0 and class 2:", update.at(0).toArray(), update.at(2).toArray())
const equal = { w: full([2, 3], 0.5, { dtype: "f64" }), v: full([3, 3], 0.5, { dtype: "f64" }) }
console.log(`all weights equal: E = ${E(equal).item()}, ln 3 = ${Math.log(3)}`)

// the loop of four steps: forward, error, backward, update
const step = jit((p: typeof start) => {
  const d = grad(E)(p)
  return { w: p.w.sub(d.w.mul(0.5)), v: p.v.sub(d.v.mul(0.5)) }
})
let p = start
for (let i = 0; i < 100; i++) p = step(p)
console.log(`after 100 steps E = ${E(p).item().toFixed(4)}, y of the right class ${output(p, x).at(2).item().toFixed(4)}`)
