// Steps that are too long or too short, and a loss that goes the wrong way.
import { neg } from "../../../../index.ts"
import { crossEntropy, squaredError } from "../../../../losses.ts"
import { adam, sgd } from "../../../../optim.ts"
import { classes, images, numbers } from "../data.ts"
import { by, convs, cross, type Fault, fault, heldOut, mlp, square, tanhs, throughout } from "../fault.ts"

export const COURSE: readonly Fault[] = [
  fault(
    "rate too high",
    ["rate too high", "divergence"],
    ["learning rate"],
    throughout(mlp(), classes, cross(adam(2))),
    throughout(tanhs(), numbers, square(sgd(3))),
  ),
  fault(
    "rate too low",
    ["rate too low"],
    ["learning rate"],
    throughout(mlp(), classes, cross(adam(1e-7))),
    throughout(tanhs(), numbers, square(sgd(1e-7))),
  ),
  heldOut(
    "no rate at all",
    ["rate too low"],
    ["learning rate"],
    throughout(mlp(), classes, cross(adam(0))),
    throughout(convs(), images, cross(sgd(0), 20)),
  ),
  heldOut(
    "wrong sign of the loss",
    ["divergence"],
    ["loss"],
    throughout(
      mlp(),
      classes,
      by((o, t) => neg(crossEntropy(o, t)), adam(0.03)),
    ),
    throughout(
      tanhs(),
      numbers,
      by((o, t) => neg(squaredError(o, t)), adam(0.1), 40),
    ),
  ),
]
