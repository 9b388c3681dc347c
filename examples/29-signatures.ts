// Signature verification in small: a signature is a pen's way of 24 points. A network learns from one person's own signatures and from forgeries,
// which have the right shape but not the writer's rhythm, and says for new ones whose they are.
import { concat, random, type Tensor, tensor } from "adjoint"
import { binaryCrossEntropy } from "adjoint/losses"
import { dense, sequential, tanh } from "adjoint/nn"
import { adam } from "adjoint/optim"
import { fit } from "adjoint/train"

const points = 24
/** Numbers of a normal distribution, `n` rows of them. */
const normal = (seed: number, n: number, width: number, size: number) => random.normal(random.key(seed), [n, width]).mul(size)
/** The pen at times 0 to 1, of which `rhythm` says how they pass: x and y of all points, with a hand that is not quite steady. */
function pen(seed: number, n: number, rhythm: (time: Tensor) => Tensor): Tensor {
  const time = tensor(Array.from({ length: points }, (_, i) => i / (points - 1))).add(normal(seed, n, 1, 0.02))
  const s = rhythm(time).mul(2 * Math.PI)
  const slant = normal(seed + 1, n, 1, 0.1)
  const x = s.mul(0.5).add(s.mul(2).sin())
  const y = s.mul(3).cos().add(x.mul(slant))
  return concat([x, y], { axis: 1 }).add(normal(seed + 2, n, 2 * points, 0.5))
}
/** As many of the writer's own (1) as forged (0). */
function signatures(seed: number, n: number) {
  const own = pen(seed, n, time =>
    time.add(
      time
        .mul(2 * Math.PI)
        .sin()
        .mul(0.08),
    ),
  )
  const forged = pen(seed + 10, n, time => time) // drawn evenly, from a picture
  const y = tensor(Array.from({ length: 2 * n }, (_, i) => [i < n ? 1 : 0]))
  return { x: concat([own, forged]), y }
}
const model = sequential(dense(2 * points, 16), tanh(), dense(16, 1))
const trained = await fit(model, signatures(100, 150), { loss: binaryCrossEntropy, optimizer: adam(0.01), epochs: 40, seed: 1 }).result

const fresh = signatures(500, 200)
const scores = trained.predict(fresh.x).values()
for (const threshold of [0.5, 0.9]) {
  const accepted = Array.from(scores, s => 1 / (1 + Math.exp(-s)) > threshold)
  const share = (from: number) => `${accepted.slice(from, from + 200).filter(Boolean).length / 2} %`
  console.log(`accepted from ${threshold} on: ${share(0)} of 200 new ones of the writer, ${share(200)} of 200 forgeries`)
}
