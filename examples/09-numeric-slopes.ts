// Slopes the easy, slow way: change one parameter a little, run the whole network, see what the error does. Then the same by backpropagation.
import { grad, jit, random, type Tensor, tensor } from "adjoint"
import { squaredError } from "adjoint/losses"
import { dense, logistic, sequential } from "adjoint/nn"

// one number first: w = 2, E = (w - 3)²
const E = (w: number) => (w - 3) ** 2
const w = 2
console.log(`E(2) = ${E(w)}, dE/dw by h = 0.001: ${((E(w + 0.001) - E(w)) / 0.001).toFixed(3)}, exactly ${2 * (w - 3)}`)
console.log(`an error that falls by 0.002 where w grows by 0.001 has the slope ${-0.002 / 0.001}`)

// a network of 4-6-3 units: each of its 51 parameters needs a forward pass of its own
const model = sequential(dense(4, 6, { dtype: "f64" }), logistic(), dense(6, 3, { dtype: "f64" }), logistic())
const { params: start, state } = model.init(random.key(1), [4])
const x = tensor([[0.3, 0.2, 0, 0.5]], { dtype: "f64" })
const t = tensor([[1, 0, 0]], { dtype: "f64" })
const loss = (params: typeof start) => squaredError(model.apply(params, state, x)[0], t)
let forward = 0
const compiled = jit(loss)
const run = (params: typeof start) => {
  forward++
  return compiled(params).item()
}

type Layers = readonly Readonly<Record<string, Tensor>>[]
/** All slopes by `slope`, which gets the error as a function of how far one parameter was moved. */
function slopes(slope: (moved: (h: number) => number) => number): number[] {
  const layers = (start as { layers: Layers }).layers
  return layers.flatMap((layer, i) =>
    Object.entries(layer).flatMap(([name, leaf]) => {
      const values = [...leaf.values()]
      return values.map((_, k) =>
        slope(h => {
          const moved = tensor(
            values.map((v, j) => (j === k ? v + h : v)),
            { dtype: "f64" },
          ).reshape(leaf.shape)
          return run({ layers: layers.map((l, j) => (j === i ? { ...l, [name]: moved } : l)) } as typeof start)
        }),
      )
    }),
  )
}
const here = run(start)
const h = 0.001
const oneSided = slopes(moved => (moved(h) - here) / h)
console.log(`one side: ${forward} forward passes for ${oneSided.length} slopes`)
forward = 0
const central = slopes(moved => (moved(h) - moved(-h)) / (2 * h))
console.log(`both sides: ${forward} forward passes`)

const gradient = jit(grad(loss))(start) as { layers: Layers }
const exact = gradient.layers.flatMap(layer => Object.values(layer).flatMap(leaf => [...leaf.values()]))
const worst = (found: readonly number[]) => Math.max(...found.map((s, i) => Math.abs(s - exact[i]!))).toExponential(0)
console.log(`backpropagation: one pass forwards and one backwards; the others are off by at most ${worst(oneSided)} and ${worst(central)}`)
