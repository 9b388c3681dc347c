// Gradients that vanish or explode on their way back.
import { mul, stopGradient } from "../../../../index.ts"
import { dense, type Layer, lambda, logistic, lstm, relu, rnn, sequential, tanh } from "../../../../nn.ts"
import { momentum, sgd } from "../../../../optim.ts"
import { classes, numbers, sequences } from "../data.ts"
import { at, cross, deep, type Fault, fault, heldOut, multiplied, square, times } from "../fault.ts"

const identity = (): Layer => lambda(x => mul(x, 1))
const nothing = (): Layer => lambda(x => mul(x, 0))
const cut = (): Layer => lambda(x => stopGradient(x))

export const GRADIENTS: readonly Fault[] = [
  fault(
    "30 layers of logistic units",
    ["vanishing"],
    ["activation derivative"],
    at("layers.0", deep(30, logistic, {}, 3), classes, cross()),
    at("layers.0", deep(30, logistic, { init: "lecunNormal" }, 1), numbers, square(momentum(0.03))),
  ),
  fault(
    "exploding through time",
    ["exploding", "weights too large"],
    ["weight"],
    at("layers.0", multiplied(sequential(lstm(2, 16), dense(16, 2)), "layers.0.wh", 30), sequences, cross()),
    at(
      "layers.0",
      multiplied(sequential(rnn(2, 16, { activation: "relu" }), dense(16, 2)), "layers.0.wh", 8),
      sequences,
      cross(sgd(0.001)),
    ),
  ),
  heldOut(
    "gradient cut off",
    ["vanishing"],
    ["weight", "activation derivative", "operation"],
    at("layers.2", sequential(dense(6, 16), tanh(), cut(), dense(16, 3)), classes, cross()),
    at("layers.1", sequential(lstm(2, 12), nothing(), dense(12, 2)), sequences, cross()),
  ),
  heldOut(
    "gradient explodes by weights x 3",
    ["exploding", "weights too large"],
    ["weight"],
    at(/^layers\.\d+$/, deep(10, relu, times(4), 3), classes, cross()),
    at(/^layers\.\d+$/, deep(12, identity, times(3), 1), numbers, square(sgd(1e-9))),
  ),
  heldOut(
    "gradient vanishes by weights x 0.2",
    ["vanishing"],
    ["weight"],
    at("layers.0", deep(10, relu, times(0.2), 3), classes, cross()),
    at("layers.0", deep(10, tanh, times(0.2), 1), numbers, square()),
  ),
]
