import "/tmp/w-sweep/bench/one-thread.mjs"
import * as A from "adjoint"
import { binaryCrossEntropy, crossEntropy } from "adjoint/losses"
import { dense, relu, sequential, tanh } from "adjoint/nn"
import { adam, sgd } from "adjoint/optim"
import "adjoint/train"
import { program, timeline } from "adjoint/explain"

const { random, vmap, valueAndGrad, jit, zeros } = A
const M = 64,
  B = 16
const big = process.argv[2] === "big"
const [model, loss, n] = big
  ? [sequential(dense(784, 32), relu(), dense(32, 10)), crossEntropy, 784]
  : [sequential(dense(2, 8), tanh(), dense(8, 1)), binaryCrossEntropy, 2]
const optimizer = process.argv[3] === "adam" ? adam(1e-3) : sgd(0.1)
const { params, state: state0 } = model.init(random.key(0), [n])
const st = optimizer.init(params)
const rep = t => A.treeMap(x => (A.stack ? A.stack(Array.from({ length: M }, () => x)) : x), t)
const x = random.uniform(random.key(1), [M, B, n])
const y = big ? zeros([M, B], { dtype: "i32" }) : zeros([M, B, 1])
const step = (p, s, x, y) => {
  const [l, g] = valueAndGrad(p => loss(model.apply(p, state0, x, { training: true })[0], y))(p)
  const [p2, s2] = optimizer.update(g, s, p)
  return [p2, s2, l]
}
const [P, S] = [rep(params), rep(st)]
const hasState = A.leaves ? A.leaves(S).length : process.argv[3] === "adam"
const f = hasState ? vmap(step) : vmap((p, x, y) => step(p, st, x, y))
const args = hasState ? [P, S, x, y] : [P, x, y]
console.log(String(program(f, args)))
console.log(String(timeline(f, args)))
