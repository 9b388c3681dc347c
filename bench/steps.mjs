// Steps and matrix products, medians of 7 repeats in one process. After `npm run build`, on a quiet machine: node bench/steps.mjs
import "./one-thread.mjs"
import { jit, matmul, random, tensor, valueAndGrad } from "adjoint"
import { crossEntropy } from "adjoint/losses"
import { dense, relu, sequential } from "adjoint/nn"
import { adam, sgd } from "adjoint/optim"
import "adjoint/train"

/** Median milliseconds of one call of `f`, which returns what it must wait for. */
function median(f, calls) {
  const times = []
  for (let r = 0; r < 7; r++) {
    const start = performance.now()
    for (let i = 0; i < calls; i++) f()
    times.push((performance.now() - start) / calls)
  }
  return times.sort((a, b) => a - b)[3]
}

const model = sequential(dense(784, 128), relu(), dense(128, 64), relu(), dense(64, 10))
const x = random.normal(random.key(1), [64, 784])
const y = tensor(Int32Array.from({ length: 64 }, (_, i) => i % 10))
x.values()
const optimizers = { "sgd-momentum": sgd(0.01, { momentum: 0.9 }), adam: adam(1e-3) }
for (const [name, optimizer] of Object.entries(optimizers)) {
  const start = performance.now()
  let { params, state: layers } = model.init(random.key(1), [784])
  let state = optimizer.init(params)
  const step = jit(
    (p, s, x, y) => {
      const [loss, g] = valueAndGrad(p => crossEntropy(model.apply(p, layers, x)[0], y))(p)
      return [...optimizer.update(g, s, p), loss]
    },
    { donate: [0, 1] },
  )
  let loss
  const next = () => ([params, state, loss] = step(params, state, x, y))
  next()
  loss.item()
  const first = performance.now() - start
  for (let i = 0; i < 200; i++) next()
  const ms = median(next, 300)
  console.log(`784-128-64-10 b64 ${name}: ${ms.toFixed(3)} ms a step, ${(1000 / ms).toFixed(0)} steps/s; first step ${first.toFixed(0)} ms`)
}

for (const [m, k, n] of [
  [64, 784, 128],
  [256, 1024, 1024],
]) {
  // operands are donated and handed on, so that they stay where the code works on them
  const f = jit((a, b, c) => [a, b, matmul(a, b).add(c.mul(0))], { donate: [0, 1, 2] })
  let s = [random.normal(random.key(1), [m, k]), random.normal(random.key(2), [k, n]), random.normal(random.key(3), [m, n])]
  const next = () => (s = f(...s))
  for (let i = 0; i < 20; i++) next()
  console.log(`matmul ${m}x${k}x${n}, copies and an addition included: ${((2 * m * k * n) / median(next, 20) / 1e6).toFixed(1)} GFLOP/s`)
}
