// Dropout: in training each hidden unit is left out with probability ½, and the weights into and out of it get the gradient 0. The work is done all
// the same: dropped values are multiplied by 0. To skip it, leave the units out of the product.
import { grad, jit, random, type Tensor, tensor } from "adjoint"
import { program } from "adjoint/explain"
import { halfSquaredError } from "adjoint/losses"
import { dense, dropout, logistic, sequential } from "adjoint/nn"

const [inputs, units] = [20, 16]
const x = random.normal(random.key(1), [8, inputs]).at(0).reshape(1, inputs)
const t = tensor([[1]])
const lossOf = (rate: number) => {
  const model = sequential(dense(inputs, units), logistic(), dropout(rate), dense(units, 1))
  const { params, state } = model.init(random.key(2), [inputs])
  const loss = (p: typeof params, key: Tensor) => halfSquaredError(model.apply(p, state, x, { training: true, key })[0], t)
  return { loss, params }
}
const { loss, params } = lossOf(0.5)
const first = (p: unknown) => (p as { layers: readonly { w: Tensor }[] }).layers[0]!.w
const g = first(jit(grad(loss))(params, random.key(3)))
const columns = g.abs().sum({ axis: 0 }).toArray() as number[]
const kept = columns.flatMap((sum, unit) => (sum === 0 ? [] : [unit]))
console.log(`${units - kept.length} of ${units} units are dropped and have a gradient of 0; kept: ${kept.join(" ")}`)

const products = (f: (...args: any[]) => unknown, ...args: unknown[]) =>
  program(f, args)
    .kernels.filter(k => k.results.length && /matmul/.test(k.name))
    .reduce((sum, k) => sum + k.operations * k.times, 0)
const none = lossOf(0)
const [dropped, whole] = [products(grad(loss), params, random.key(3)), products(grad(none.loss), none.params, random.key(3))]
console.log(`operations of matrix products: ${dropped} with dropout, ${whole} without`)

// the same gradient from the units that are left, whose weights are gathered
const picked = tensor(kept, { dtype: "i32" })
const layers = (params as unknown as { layers: Record<"w" | "b", Tensor>[] }).layers
const [w1, b1, w2, b2] = [layers[0]!.w, layers[0]!.b, layers[3]!.w, layers[3]!.b]
const left = { w1: w1!.take(picked, { axis: 1 }), b1: b1!.take(picked), w2: w2!.take(picked) }
const small = ({ w1, b1, w2 }: typeof left) => halfSquaredError(x.matmul(w1).add(b1).sigmoid().mul(2).matmul(w2).add(b2!), t)
const skipped = jit(grad(small))(left)
console.log(
  `the kept units alone: ${products(grad(small), left)} operations, the same gradient: ${
    skipped.w1
      .sub(g.take(picked, { axis: 1 }))
      .abs()
      .max()
      .item() < 1e-6
  }`,
)
