// A perceptron in two calls: only the widths of hidden layers are named. What comes back is plain data, with each slope as a chain of factors.
import { MLP } from "adjoint/mlp"

const trained = MLP.train({ x: [0.1, 0.4, 4.1], y: [0.2], netArch: [7, 5, 4], maxIter: 500, learningRate: 0.7 })
console.log(`${trained.numberOfWeights} weights, ${trained.elapsedIter} steps, error ${trained.error.toExponential(1)}`)
console.log(
  "for what it has seen, and for something else:",
  MLP.predict(trained, [
    [0.1, 0.4, 4.1],
    [0.2, 3.1, 1.7],
  ]).map(([y]) => y?.toFixed(3)),
)

// the chain after one step: dE/dw of each layer, the last first; the product of the factors is the slope
const { derivativeChain } = MLP.train({ x: [0.1, 0.4, 4.1], y: [0.2], netArch: [7, 5, 4], maxIter: 1 })
for (const { of, factors } of derivativeChain) console.log(`dE/d${of} = ${factors.map(factor => factor.symbol).join(" · ")}`)
const [last] = derivativeChain
const [start, slope, input] = last!.factors.map(factor => factor.value)
const products = input!.map(([h]) => start![0]![0]! * slope![0]![0]! * h!)
console.log(
  "its factors multiplied, less the slope:",
  products.map((product, i) => product - last!.grad[i]![0]!),
)
