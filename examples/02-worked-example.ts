// One neuron on the board: each factor of dE/dw as symbol and number, its check, the product, its reading, the step.
import { explainNetwork, renderText } from "adjoint/explain"

const explanation = explainNetwork(
  {
    layers: [{ w: [[0.5], [0.2]], b: [1.83], activation: "logistic" }],
    loss: "half squared error",
  },
  { x: [0.1, 0.3], target: 0.03 },
  { learningRate: 0.01 },
)
console.log(renderText(explanation))

// the same as data, in full precision
const [w1] = explanation.weights
console.log(w1?.factors.map(factor => [factor.symbol, factor.value]))
