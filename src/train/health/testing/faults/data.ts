// Rows of a scale that no layer is made for, with holes, or with columns that tell nothing.
import { sgd } from "../../../../optim.ts"
import { type Change, classes, images, numbers } from "../data.ts"
import { at, convs, cross, type Fault, fault, heldOut, mlp, ofImages, scaled, seen, square, tanhs, throughout } from "../fault.ts"

/** A column that is `value` in all rows. */
const column =
  (i: number, value: number): Change =>
  x =>
    x.map(r => r.with(i, value))
/** One number that is `value`. */
const cell =
  (row: number, i: number, value: number): Change =>
  x =>
    x.with(row, x[row]!.with(i, value))

export const DATA: readonly Fault[] = [
  fault(
    "inputs not standardised",
    ["input scale"],
    ["input scale"],
    at("layers.0", mlp(), seen(classes, scaled(300)), cross()),
    at(
      "layers.0",
      tanhs(),
      seen(numbers, x => x.map(r => r.with(2, 2000 + r[2]!))),
      square(),
    ),
  ),
  heldOut(
    "tiny inputs",
    ["input scale"],
    ["input scale"],
    at(
      "layers.0",
      mlp(),
      seen(classes, x => x.map(r => r.map(v => v / 1e4))),
      cross(),
    ),
    at("layers.0", convs(), seed => images(seed, p => p / 255), ofImages()),
  ),
  fault(
    "a column that never changes",
    ["constant input"],
    ["inputs"],
    at("layers.0", mlp(), seen(classes, column(1, 5)), cross()),
    at("layers.0", tanhs(), seen(numbers, column(4, 0)), square()),
  ),
  heldOut(
    "a missing number in the inputs",
    ["not finite"],
    ["inputs"],
    at("input", mlp(), seen(classes, cell(100, 2, Number.NaN)), cross()),
    at("input", tanhs(), seen(numbers, cell(7, 0, Number.POSITIVE_INFINITY)), square()),
  ),
  heldOut(
    "targets not standardised",
    ["target scale"],
    ["targets"],
    throughout(mlp(1), seed => numbers(seed, undefined, y => 1e4 * y), square()),
    throughout(tanhs(), seed => numbers(seed, undefined, y => 250 + y), square(sgd(0.01))),
  ),
]
