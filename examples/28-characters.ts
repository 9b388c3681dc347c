// Character recognition in small: ten letters of 5 x 7 dots, learned with some dots flipped, read with other dots flipped.
import { cast, eye, random, tensor } from "adjoint"
import { crossEntropy } from "adjoint/losses"
import { dense, sequential, tanh } from "adjoint/nn"
import { adam } from "adjoint/optim"
import { accuracy, fit } from "adjoint/train"

// rows of five dots as numbers of two octal digits: 16 is .###.
const letters: Record<string, string> = {
  A: "16 21 21 37 21 21 21",
  C: "17 20 20 20 20 20 17",
  E: "37 20 20 36 20 20 37",
  F: "37 20 20 36 20 20 20",
  H: "21 21 21 37 21 21 21",
  I: "37 04 04 04 04 04 37",
  L: "20 20 20 20 20 20 37",
  O: "16 21 21 21 21 21 16",
  T: "37 04 04 04 04 04 04",
  X: "21 21 12 04 12 21 21",
}
const names = Object.keys(letters)
const dots = Object.values(letters).map(rows =>
  rows.split(" ").flatMap(r => [16, 8, 4, 2, 1].map(bit => (Number.parseInt(r, 8) & bit ? 1 : 0))),
)
const clean = tensor(dots)

/** Each letter `times` over, each dot flipped with probability `share`. */
function noisy(seed: number, times: number, share: number) {
  const labels = cast(random.permutation(random.key(seed), times * 10), "i32").toArray() as number[]
  const y = tensor(
    labels.map(n => n % 10),
    { dtype: "i32" },
  )
  const x = clean.take(y)
  const flips = cast(random.bernoulli(random.fold(random.key(seed), 1), share, x.shape), "f32")
  return { x: x.sub(flips).abs(), y }
}
const model = sequential(dense(35, 24), tanh(), dense(24, names.length))
const trained = await fit(model, noisy(1, 100, 0.1), { loss: crossEntropy, optimizer: adam(0.01), epochs: 20, seed: 1 }).result
for (const share of [0, 0.1, 0.2]) {
  const measured = trained.evaluate(noisy(2, 100, share), { loss: crossEntropy, metrics: { accuracy } })
  console.log(`${(100 * share).toFixed(0)} % of the dots flipped: ${(100 * measured.accuracy!).toFixed(1)} % of the letters right`)
}
const [one] = [noisy(3, 1, 0.1)]
const read = trained.predict(one!.x).argmax({ axis: 1 }).at(0).item()
const picture = (one!.x.at(0).reshape(7, 5).toArray() as number[][]).map(row => row.map(d => (d ? "#" : ".")).join(""))
console.log(`${picture.join("\n")}\nis read as ${names[read]}; it was ${names[one!.y.at(0).item()]}`)
console.log(`one-hot target: ${eye(10).take(one!.y).at(0).toArray()}`)
