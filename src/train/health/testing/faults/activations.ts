// Units that are dead or saturated.
import { dense, hardTanh, logistic, sequential } from "../../../../nn.ts"
import { momentum, sgd } from "../../../../optim.ts"
import { classes, images, numbers } from "../data.ts"
import { at, convs, cross, type Fault, fault, heldOut, mlp, ofImages, scaled, seen, shifted, square, tanhs, throughout } from "../fault.ts"

export const ACTIVATIONS: readonly Fault[] = [
  fault(
    "dead rectified units",
    ["dead units"],
    ["bias"],
    at("layers.1", shifted(mlp(), "layers.0.b", -30), classes, cross()),
    at("layers.1", shifted(convs(), "layers.0.b", -10), images, ofImages()),
  ),
  heldOut(
    "rectified units killed by a step",
    ["dead units", "rate too high", "divergence"],
    ["learning rate"],
    throughout(mlp(1), numbers, square(momentum(1))),
    throughout(convs(), images, ofImages(sgd(30))),
  ),
  fault(
    "tanh saturated by inputs",
    ["saturation", "paralysis"],
    ["input scale"],
    at("layers.1", tanhs(3), seen(classes, scaled(40)), cross()),
    at("layers.1", sequential(dense(6, 16), logistic(), dense(16, 1)), seen(numbers, scaled(100)), square()),
  ),
  heldOut(
    "saturated by biases",
    ["saturation", "paralysis"],
    ["bias"],
    at("layers.1", shifted(tanhs(3), "layers.0.b", 12), classes, cross()),
    at(
      "layers.3",
      shifted(sequential(dense(6, 16), hardTanh(), dense(16, 16), logistic(), dense(16, 1)), "layers.2.b", -20),
      numbers,
      square(),
    ),
  ),
]
