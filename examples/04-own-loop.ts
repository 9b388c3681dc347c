// Your own loop: forward, backward and update in one compiled program that works in place.
import { jit, random, type Tensor, tensor, valueAndGrad } from "adjoint"
import { halfSquaredError } from "adjoint/losses"
import { dense, sequential, tanh } from "adjoint/nn"
import { sgd } from "adjoint/optim"

const x = tensor(Array.from({ length: 64 }, (_, i) => [i / 32 - 1]))
const y = x.mul(3).sin()

const model = sequential(dense(1, 16), tanh(), dense(16, 1))
const first = model.init(random.key(1), [1])
const optimizer = sgd(0.2, { momentum: 0.9 })

const lossOf = (params: typeof first.params, x: Tensor, y: Tensor) => halfSquaredError(model.apply(params, first.state, x)[0], y)
const step = jit(
  (params: typeof first.params, state: ReturnType<typeof optimizer.init>, x: Tensor, y: Tensor) => {
    const [loss, gradient] = valueAndGrad(lossOf)(params, x, y)
    return [...optimizer.update(gradient, state, params), loss] as const
  },
  { donate: [0, 1] }, // the old parameters give their memory to the new ones
)

let [params, state] = [first.params, optimizer.init(first.params)]
for (let i = 1; i <= 1000; i++) {
  const [nextParams, nextState, loss] = step(params, state, x, y)
  ;[params, state] = [nextParams, nextState]
  if (i % 250 === 0) console.log(`step ${i}: loss ${loss.item().toPrecision(3)}`)
}
