// When to stop, and why it stopped: an error that is small enough, a number of epochs, no more improvement, a gradient or a change below a
// tolerance. The reason is always told.
import { random, tensor } from "adjoint"
import { halfSquaredError } from "adjoint/losses"
import { dense, sequential, tanh } from "adjoint/nn"
import { adam, minimize, sgd } from "adjoint/optim"
import { type FitOptions, fit } from "adjoint/train"

const x = tensor(Array.from({ length: 64 }, (_, i) => [i / 32 - 1]))
const y = x
  .mul(2)
  .sin()
  .add(random.normal(random.key(34), [64, 1]).mul(0.05))
const model = sequential(dense(1, 8), tanh(), dense(8, 1))

async function train(name: string, options: Partial<FitOptions>, goal = 0) {
  const stop = new AbortController()
  const run = fit(
    model,
    { x, y },
    { loss: halfSquaredError, optimizer: adam(0.02), seed: 1, health: false, signal: stop.signal, ...options },
  )
  let error = Infinity
  for await (const event of run) {
    if (event.event === "epoch" && !stop.signal.aborted) {
      error = event.loss
      if (error <= goal) stop.abort() // small enough
    }
    if (event.event === "end") console.log(`${name}: reason "${event.reason}", error ${error <= goal ? "reached the goal" : "still above"}`)
  }
}
await train("20 epochs", { epochs: 20 })
await train("an error of 0.01", { epochs: 2000 }, 0.01)
await train("no improvement on other rows", { epochs: 2000, validation: 0.25, patience: 10 })

// functions of a few numbers: `minimize` says which tolerance or limit ended it
const bowl = (w: ReturnType<typeof tensor>) => w.sub(3).square().sum()
const start = tensor([0, 10], { dtype: "f64" })
for (const options of [
  { method: sgd(0.1) },
  { method: sgd(0.1), gradientTolerance: 0, changeTolerance: 1e-6 },
  { method: sgd(0.1), iterations: 5 },
  { method: sgd(1), iterations: 50 }, // a step too long: to and fro for ever
]) {
  const { stopped, iterations, loss } = minimize(bowl, start, options)
  console.log(`minimize: reason "${stopped}" after ${iterations} steps, error ${loss.toExponential(1)}`)
}
