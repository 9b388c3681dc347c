// Regression of scores: points of an examination (0 to 100) by hours learned, hours slept and the last score. The output is linear: a logistic one
// only reaches (0, 1). Targets are standardised for training, and the answer is scaled back.
import { clip, concat, random } from "adjoint"
import { halfSquaredError, squaredError } from "adjoint/losses"
import { dense, logistic, sequential, tanh } from "adjoint/nn"
import { adam } from "adjoint/optim"
import { fit } from "adjoint/train"

const noise = 4
function students(seed: number, n: number) {
  const [a, b, c] = [0, 1, 2].map(i => random.uniform(random.fold(random.key(seed), i), [n, 1]))
  const [learned, slept, last] = [a!.mul(20), b!.mul(6).add(4), c!.mul(80).add(20)]
  // learning helps less and less, sleep is best at 8 hours
  const ability = last.mul(0.4).add(learned.div(5).tanh().mul(40)).sub(slept.sub(8).square().mul(1.5)).add(20)
  const score = clip(ability.add(random.normal(random.fold(random.key(seed), 3), [n, 1]).mul(noise)), 0, 100)
  return { x: concat([learned.div(20), slept.sub(7).div(3), last.sub(60).div(40)], { axis: 1 }), score }
}
const [train, test] = [students(1, 800), students(2, 400)]
const [mean, deviation] = [50, 25]
const scaled = { x: train.x, y: train.score.sub(mean).div(deviation) }

for (const [name, model] of Object.entries({
  linear: sequential(dense(3, 16), tanh(), dense(16, 1)),
  logistic: sequential(dense(3, 16), tanh(), dense(16, 1), logistic()),
})) {
  const trained = await fit(model, scaled, { loss: halfSquaredError, optimizer: adam(0.01), epochs: 60, seed: 1, health: false }).result
  const answers = trained.predict(test.x).mul(deviation).add(mean)
  const rmse = Math.sqrt(squaredError(answers, test.score).item())
  const [low, high] = [answers.min().item().toFixed(0), answers.max().item().toFixed(0)]
  console.log(`${name} output: off by ${rmse.toFixed(1)} points on new students; answers from ${low} to ${high}`)
}
const spread = Math.sqrt(test.score.sub(train.score.mean()).square().mean().item())
console.log(`the mean score is off by ${spread.toFixed(1)}, and ${noise} are chance`)
