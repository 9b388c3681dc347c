// What happens in which order: layers forwards, then backwards from the last one, then the update. A layer has to wait for all behind it (locking),
// and knows nothing of its neighbours but the numbers that it gets: an input forwards, a delta backwards.
import { grad, random, type Tensor, zeros } from "adjoint"
import { printProgram } from "adjoint/explain"
import { halfSquaredError } from "adjoint/losses"
import { countParameters, dense, logistic, sequential, summary } from "adjoint/nn"

const model = sequential(dense(10, 6), logistic(), dense(6, 4), logistic(), dense(4, 1))
console.log(summary(model, [10]))
const { params, state } = model.init(random.key(40), [10])
console.log(`${countParameters(params)} parameters: 10·6 + 6·4 + 4·1 connections and 11 biases`)

const [x, t] = [random.normal(random.key(1), [8, 10]), zeros([8, 1])]
const loss = (p: typeof params, x: Tensor) => halfSquaredError(model.apply(p, state, x)[0], t)
/** The layers in the order in which their products of matrices are computed. */
const order = (f: (...args: any[]) => unknown, ...args: unknown[]) =>
  printProgram(f, args, { inlined: true })
    .split("\n")
    .filter(line => / = (matmul|dot)/.test(line))
    .map(line => line.split("//")[1]!.trim())
const products = order(grad(loss), params, x)
for (const line of products) console.log(`  ${line}`)
const forward = products.filter(line => !line.includes("backward"))
console.log(
  `forwards ${forward.length} products, each once; backwards ${products.length - forward.length}: two for a layer, one for the first`,
)
console.log(`all forwards come before all backwards: ${products.slice(0, 3).join() === forward.join()}`)

// evaluation ends at the output, training at the error; asking for a gradient changes no parameter
console.log(`evaluation: ${order((p: typeof params, x: Tensor) => model.apply(p, state, x)[0], params, x).length} products`)
const weights = () => (params as unknown as { layers: readonly { w: Tensor }[] }).layers[0]!.w
const before = [...weights().values()]
grad(loss)(params, x)
console.log(`a gradient changes no parameter: ${String(before) === String([...weights().values()])}`)
