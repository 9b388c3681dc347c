// Two networks against each other: a generator turns noise into points, a discriminator tells them from points of eight Gaussians on a ring.
// The generator learns by its gradient through the discriminator. STEPS=1000 takes fewer steps, SEED=2 other first weights.
import { argmin, countNonzero, full, jit, less, norm, oneHot, random, scan, stack, type Tensor, tensor, valueAndGrad, zeros } from "adjoint"
import { binaryCrossEntropy } from "adjoint/losses"
import { dense, leakyRelu, relu, sequential } from "adjoint/nn"
import { adam } from "adjoint/optim"

const [noise, batch, spread, steps] = [8, 256, 0.1, Number(process.env.STEPS ?? 3000)]
const keys = random.split(random.key(Number(process.env.SEED ?? 1)), 4)
const centres = tensor(Array.from({ length: 8 }, (_, k) => [Math.cos((k * Math.PI) / 4), Math.sin((k * Math.PI) / 4)]))
const drawn = (key: Tensor) => {
  const [which, where] = [random.fold(key, 0), random.fold(key, 1)]
  return centres.take(random.categorical(which, zeros([batch, 8]))).add(random.normal(where, [batch, 2]).mul(spread))
}

const generator = sequential(dense(noise, 64), relu(), dense(64, 64), relu(), dense(64, 2))
const discriminator = sequential(dense(2, 64), leakyRelu(0.2), dense(64, 64), leakyRelu(0.2), dense(64, 1))
const [G, D] = [generator.init(keys.at(0), [noise]), discriminator.init(keys.at(1), [2])]
type Params = typeof G.params

const made = (g: Params, key: Tensor, n = batch) => generator.apply(g, G.state, random.normal(key, [n, noise]))[0]
/** How wrong the discriminator is about points that are real (1) or made (0). */
const error = (d: Params, points: Tensor, target: 0 | 1) => {
  const [logits] = discriminator.apply(d, D.state, points)
  return binaryCrossEntropy(logits, full(logits.shape, target))
}
const errorOfD = (d: Params, real: Tensor, fake: Tensor) => error(d, real, 1).add(error(d, fake, 0))
// `valueAndGrad` differentiates the first argument: the discriminator is frozen here, and the gradient passes through it
const errorOfG = (g: Params, d: Params, key: Tensor) => error(d, made(g, key), 1)

const optimizer = adam(1e-3, { b1: 0.5 })
const first = { g: G.params, d: D.params, ofG: optimizer.init(G.params), ofD: optimizer.init(D.params) }
const step = ({ g, d, ofG, ofD }: typeof first, key: Tensor) => {
  const [a, b, c] = [0, 1, 2].map(i => random.fold(key, i)) as [Tensor, Tensor, Tensor]
  const [lossOfD, towardsD] = valueAndGrad(errorOfD)(d, drawn(a), made(g, b))
  const [nextD, nextOfD] = optimizer.update(towardsD, ofD, d)
  const [lossOfG, towardsG] = valueAndGrad(errorOfG)(g, nextD, c)
  const [nextG, nextOfG] = optimizer.update(towardsG, ofG, g)
  return [{ g: nextG, d: nextD, ofG: nextOfG, ofD: nextOfD }, stack([lossOfD, lossOfG])] as const
}
const hundred = jit((now: typeof first, key: Tensor) => scan(step, now, random.split(key, 100)), { donate: [0] })

let now = first
for (let i = 100; i <= steps; i += 100) {
  const [next, losses] = hundred(now, random.fold(keys.at(2), i))
  now = next
  if (i % 500) continue
  const away = norm(made(now.g, keys.at(3), 4000).reshape([4000, 1, 2]).sub(centres), { axis: -1 }) // from each centre
  const near = countNonzero(less(away.min({ axis: 1 }), 3 * spread)).item() / 40
  const fewest =
    oneHot(argmin(away, { axis: 1 }), 8)
      .mean({ axis: 0 })
      .min()
      .item() * 100
  const [d, g] = losses.mean({ axis: 0 }).values()
  console.log(
    `step ${i}: losses ${d!.toFixed(2)} and ${g!.toFixed(2)}, ${near.toFixed(1)} % near a centre, at least ${fewest.toFixed(1)} % at each`,
  )
}
