// Losses that do not take what the last layer or the rows give.
import { add, cast, expandDims, less, mul, slice, type Tensor } from "../../../../index.ts"
import { binaryCrossEntropy, hinge } from "../../../../losses.ts"
import { conv2d, dense, flatten, gelu, gru, logistic, relu, sequential, softmax, tanh } from "../../../../nn.ts"
import type { Dataset } from "../../../rows.ts"
import { classes, images, numbers, sequences, yesNo } from "../data.ts"
import { at, by, convs, cross, type Fault, fault, he, heldOut, mlp, ofImages, square, tanhs, throughout } from "../fault.ts"

const targets =
  (data: (seed: number) => Dataset, change: (y: Tensor) => Tensor) =>
  (seed: number): Dataset => {
    const { x, y } = data(seed)
    return { x, y: change(y as Tensor) }
  }
const fromOne = (y: Tensor): Tensor => add(y, 1)
const asNumbers = (y: Tensor): Tensor => cast(expandDims(y, -1), "f32")
/** Three answers of yes or no to each row. */
function several(seed: number): Dataset {
  const { x } = classes(seed)
  return { x, y: cast(less(0, slice(x as Tensor, ":", [0, 3])), "f32") }
}

export const LOSS: readonly Fault[] = [
  fault(
    "softmax before a loss from logits",
    ["wrong loss"],
    ["loss"],
    at("layers.5", sequential(dense(6, 24, he), relu(), dense(24, 16, he), relu(), dense(16, 3), softmax()), classes, cross()),
    at("layers.4", sequential(conv2d(1, 8, 3, he), relu(), flatten(), dense(288, 2), softmax()), images, ofImages()),
  ),
  heldOut(
    "logistic output for targets out of its reach",
    ["wrong loss"],
    ["targets"],
    at("layers.3", sequential(dense(6, 16), tanh(), dense(16, 1), logistic()), numbers, square()),
    at(
      "layers.5",
      sequential(dense(6, 16, he), gelu(), dense(16, 8), tanh(), dense(8, 1), tanh()),
      seed => numbers(seed, undefined, y => 3 * y),
      square(),
    ),
  ),
  heldOut(
    "binary cross-entropy of -1 and 1",
    ["wrong loss"],
    ["targets"],
    throughout(tanhs(), seed => yesNo(seed, -1, 1), by(binaryCrossEntropy)),
    throughout(mlp(1), seed => yesNo(seed, 1, 2), by(binaryCrossEntropy)),
  ),
  heldOut(
    "classes counted from 1",
    ["wrong loss"],
    ["targets"],
    throughout(mlp(), targets(classes, fromOne), cross()),
    throughout(convs(), targets(images, fromOne), ofImages()),
  ),
  heldOut(
    "cross-entropy of one class",
    ["wrong loss"],
    ["loss", "targets"],
    throughout(
      mlp(1),
      targets(classes, y => mul(y, 0)),
      cross(),
    ),
    throughout(tanhs(1), yesNo, cross()),
  ),
  heldOut(
    "logits behind an activation",
    ["wrong loss"],
    ["loss"],
    at("layers.3", sequential(dense(6, 16, he), relu(), dense(16, 3), relu()), classes, cross()),
    at("layers.2", sequential(gru(2, 8), dense(8, 1), logistic()), targets(sequences, asNumbers), by(binaryCrossEntropy)),
  ),
  heldOut(
    "several classes at once with cross-entropy",
    ["wrong loss"],
    ["targets"],
    throughout(mlp(), several, cross()),
    throughout(tanhs(3), several, cross()),
  ),
  heldOut("hinge of 0 and 1", ["wrong loss"], ["targets"], throughout(tanhs(), yesNo, by(hinge)), throughout(mlp(1), yesNo, by(hinge))),
]
