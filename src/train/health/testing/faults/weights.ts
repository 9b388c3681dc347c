// Weights that start or become too large, too small, or equal.
import { dense, relu, sequential, tanh } from "../../../../nn.ts"
import { adamw, sgd } from "../../../../optim.ts"
import { classes, images, numbers } from "../data.ts"
import { at, constant, convs, cross, type Fault, fault, he, heldOut, mlp, multiplied, ofImages, square, tanhs } from "../fault.ts"

const zeros = { init: "zeros" } as const

export const WEIGHTS: readonly Fault[] = [
  fault(
    "weights of one layer x 100",
    ["weights too large"],
    ["weight"],
    at("layers.2", multiplied(mlp(), "layers.2.w", 100), classes, cross()),
    at("layers.0", multiplied(tanhs(), "layers.0.w", 100), numbers, square()),
  ),
  fault(
    "weights x 0.001",
    ["weights too small"],
    ["weight"],
    at("layers.2", multiplied(mlp(), "layers.2.w", 0.001), classes, cross()),
    at("layers.0", multiplied(convs(), "layers.0.w", 0.001), images, ofImages()),
  ),
  fault(
    "all weights 0",
    ["symmetry"],
    ["weight"],
    at("layers.0", sequential(dense(6, 16, zeros), tanh(), dense(16, 3, zeros)), classes, cross()),
    at(/^layers\.[02]$/, sequential(dense(6, 16, zeros), relu(), dense(16, 16, zeros), relu(), dense(16, 1, zeros)), numbers, square()),
  ),
  heldOut(
    "all weights equal",
    ["symmetry"],
    ["weight"],
    at("layers.0", sequential(dense(6, 16, constant(0.3)), tanh(), dense(16, 1, constant(0.2))), numbers, square()),
    at(
      "layers.2",
      sequential(dense(6, 16, he), relu(), dense(16, 16, constant(0.1)), relu(), dense(16, 3, constant(0.1))),
      classes,
      cross(),
    ),
  ),
  heldOut(
    "weight decay far too strong",
    ["weights too small"],
    ["weight decay"],
    at(/^layers\.\d+$/, mlp(), classes, cross(adamw(0.01, { weightDecay: 20 }), 30)),
    at(/^layers\.\d+$/, tanhs(), numbers, square(sgd(0.05, { weightDecay: 3 }), 30)),
  ),
]
