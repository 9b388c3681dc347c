// The guide's section on optimizers quotes this file, which runs it.
import { readFileSync } from "node:fs"
import { type Tensor, tensor, zeros } from "adjoint"
import { accumulate, adamw, chain, clipByGlobalNorm, frozen, groups, matrices, minimize, schedules, sgd } from "adjoint/optim"
import { expect, test, vi } from "vitest"

const log = vi.spyOn(console, "log").mockImplementation(() => {})

// warm-up and cosine, weight decay without biases, short gradients, one update for four batches
const rate = schedules.cosine(1e-3, { steps: 10_000, warmup: 500 })
const decayed = adamw(rate, { weightDecay: 0.1, weightDecayMask: matrices })
const patient = accumulate(4, chain(clipByGlobalNorm(1), decayed))

// layer 0 stays as it is, biases have an optimizer of their own
const fine = groups([
  { match: /^layers\.0\./, optimizer: frozen() },
  { match: (_path, w) => w.ndim < 2, optimizer: sgd(0.1) },
  { optimizer: patient },
])
const params = {
  layers: [
    { w: zeros([2, 3]), b: zeros([3]) },
    { w: zeros([3, 1]), b: zeros([1]) },
  ],
}
const [next] = fine.update(params, fine.init(params), params)
console.log(next.layers[1]!.w.shape) // [ 3, 1 ]

// functions without noise: L-BFGS until it is done
const bowl = ({ x, y }: { x: Tensor; y: Tensor }) => x.sub(1).square().add(y.add(2).square().mul(10))
const found = minimize(bowl, { x: tensor(0), y: tensor(0) })
console.log(found.stopped, found.params.y.item()) // gradient -2

test("the guide shows this, and what it prints", () => {
  const guide = readFileSync(new URL("../../docs/guide.md", import.meta.url), "utf8")
  const block = /## Optimizers[\s\S]*?```ts\n([\s\S]*?)```/.exec(guide)![1]!
  const here = readFileSync(new URL(import.meta.url), "utf8")
  const [imports, ...code] = block.split("\n\n")
  expect(here).toContain(imports)
  expect(here).toContain(code.join("\n\n"))
  expect(log.mock.calls).toEqual([[[3, 1]], ["gradient", -2]])
})
