// The generator's step of two networks against each other: its gradient passes through the discriminator, which stays as it is.
import { checkGrads, full, grad, jit, mul, random, stopGradient, type Tensor, type Tree, treeMap } from "adjoint"
import { binaryCrossEntropy } from "adjoint/losses"
import { batchNorm, dense, leakyRelu, sequential, tanh } from "adjoint/nn"
import { adam, frozen, groups } from "adjoint/optim"
import { expect, test } from "vitest"
import { leaves } from "../src/core/tree.ts"

const f64 = { dtype: "f64" } as const
const generator = sequential(dense(3, 6, f64), tanh(), dense(6, 2, f64))
const discriminator = sequential(dense(2, 5, f64), leakyRelu(0.2), batchNorm(5, f64), dense(5, 1, f64))
const [G, D] = [generator.init(random.key(1), [3]), discriminator.init(random.key(2), [2])]
type Params = typeof G.params
const z = random.normal(random.key(3), [7, 3], f64)

/** How far the discriminator is from taking what the generator makes for real. */
const error = (g: Params, d: Params, z: Tensor): Tensor => {
  const [points] = generator.apply(g, G.state, z)
  const [logits] = discriminator.apply(d, D.state, points, { training: true })
  return binaryCrossEntropy(logits, full(logits.shape, 1, f64))
}
const bits = (tree: Tree): number[][] => leaves(tree).map(x => [...x.values()])
const largest = (tree: Tree): number => Math.max(...bits(tree).flat().map(Math.abs))

test("the generator's gradient through a frozen discriminator is that of differences", () => {
  const { checks, worst } = checkGrads((g: Params, z: Tensor) => error(g, D.params, z), [G.params, z])
  expect(checks).toBeGreaterThan(10)
  expect(worst.forward).toBeLessThan(1e-7)
  expect(largest(grad(error)(G.params, D.params, z))).toBeGreaterThan(1e-3)
})

test("a constant discriminator, one behind stopGradient and one that is differentiated too give the generator the same gradient", () => {
  const wanted = bits(grad(error)(G.params, D.params, z))
  const stopped = grad((g: Params, d: Params) => error(g, treeMap(stopGradient, d), z))(G.params, D.params)
  expect(bits(stopped)).toEqual(wanted)
  const both = grad(({ g, d }: { g: Params; d: Params }) => error(g, d, z))({ g: G.params, d: D.params })
  expect(bits(both.g)).toEqual(wanted)
  expect(largest(both.d)).toBeGreaterThan(1e-3) // so there is something to hold back
})

test("a step of the generator leaves the discriminator's parameters alone, bit for bit", () => {
  const optimizer = adam(0.01)
  const step = jit(
    ({ g, d, state }: { g: Params; d: Params; state: ReturnType<typeof optimizer.init> }) => {
      const [next, after] = optimizer.update(grad(error)(g, d, z), state, g)
      return { g: next, d, state: after }
    },
    { donate: [0] },
  )
  const [before, first] = [bits(D.params), bits(G.params)]
  const copy = (params: Params): Params => treeMap((x: Tensor) => mul(x, 1), params)
  const next = step(step({ g: copy(G.params), d: copy(D.params), state: optimizer.init(G.params) }))
  expect(bits(next.d)).toEqual(before)
  bits(next.g).forEach((x, i) => expect(x).not.toEqual(first[i]))

  // the same with one optimizer for both, which freezes one of them
  const whole = groups([{ match: /^d\./, optimizer: frozen() }, { optimizer }])
  const errorOfBoth = ({ g, d }: { g: Params; d: Params }): Tensor => error(g, d, z)
  const together = jit((both: { g: Params; d: Params }, state: ReturnType<typeof whole.init>) =>
    whole.update(grad(errorOfBoth)(both), state, both),
  )
  const start = { g: G.params, d: D.params }
  const [once, state] = together(start, whole.init(start))
  const [twice] = together(once, state)
  expect(bits(twice.d)).toEqual(before)
  expect(bits(twice.g)).toEqual(bits(next.g))
})
