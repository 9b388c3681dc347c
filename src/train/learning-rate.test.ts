import { describe, expect, it } from "vitest"
import { random, type Tensor, tensor, zeros } from "../index.ts"
import { squaredError } from "../losses.ts"
import { dense } from "../nn.ts"
import { adam, chain, clipByGlobalNorm, type Schedule, schedules, sgd } from "../optim.ts"
import { findLearningRate, fit } from "../train.ts"

// The loss, the mean of (x w + b - y)^2, is a quadratic: rows +-a e_i make its Hessian diagonal.
const rows = [1, -1, 1, -1].map((s, i) => (i < 2 ? [2 * s, 0] : [0, s]))
const x = tensor(rows)
const y = tensor(rows.map(([a, b]) => [a! * 3 - b!]))
const linear = dense(2, 1)
/** 2 / the largest curvature, of 2 mean(x_i^2) = 4 and 1 for the weights and 2 for the bias. */
const LARGEST = 0.5

describe("findLearningRate", () => {
  it("suggests a rate below the largest stable one of a quadratic, within a factor of 20", async () => {
    for (const steps of [50, 100]) {
      const { suggestion, reason, rates, losses, smoothed } = await findLearningRate(
        linear,
        { x, y },
        { loss: squaredError, optimizer: sgd, steps },
      )
      expect(reason, `${steps} steps`).toBe("diverged")
      expect(suggestion).toBeLessThan(LARGEST)
      expect(suggestion).toBeGreaterThan(LARGEST / 20)
      expect(rates.length).toBe(losses.length)
      expect(rates.length).toBeLessThan(steps)
      expect(smoothed.at(-1)).toBeGreaterThan(4 * Math.min(...smoothed))
    }
  })

  it("takes the steps that fit would take with these rates", async () => {
    const found = await findLearningRate(
      linear,
      { x, y },
      { loss: squaredError, optimizer: sgd, from: 0.01, to: 0.16, steps: 5, smoothing: 0 },
    )
    expect(Array.from(found.rates, r => Number(r.toPrecision(6)))).toEqual([0.01, 0.02, 0.04, 0.08, 0.16])
    const run = fit(
      linear,
      { x, y },
      { loss: squaredError, optimizer: sgd(schedules.exponential(0.01, { decay: 2 })), epochs: 5, health: false },
    )
    const losses: number[] = []
    for await (const e of run) if (e.event === "epoch") losses.push(e.loss)
    found.losses.forEach((loss, i) => expect(loss).toBeCloseTo(losses[i]!, 5))
    expect([...found.smoothed]).toEqual([...found.losses])
    expect(found.reason).toBe("steps")
  })

  it("begins where it is told and changes nothing there", async () => {
    const start = linear.init(random.key(5), [2])
    const before = (start.params.w as Tensor).toArray()
    const options = { loss: squaredError, optimizer: (rate: Schedule) => chain(clipByGlobalNorm(1), adam(rate)), start, steps: 20 }
    const first = await findLearningRate(linear, { x, y }, options)
    expect((start.params.w as Tensor).toArray()).toEqual(before)
    expect([...(await findLearningRate(linear, { x, y }, options)).losses]).toEqual([...first.losses])
  })

  it("has nothing to suggest where nothing can be learned, and stops at a signal", async () => {
    const still = { x, y: zeros([4, 1]) }
    const start = { params: { w: zeros([2, 1]), b: zeros([1]) }, state: {} }
    expect(await findLearningRate(linear, still, { loss: squaredError, optimizer: sgd, start })).toMatchObject({
      suggestion: undefined,
      reason: "steps",
    })
    const aborted = await findLearningRate(linear, still, { loss: squaredError, optimizer: sgd, signal: AbortSignal.abort() })
    expect(aborted).toMatchObject({ suggestion: undefined, reason: "aborted" })
  })

  it.each([
    ["an optimizer in the place of what makes one", { optimizer: sgd(0.1) as never }, "from a learning rate, such as adam"],
    ["rates the wrong way round", { from: 1, to: 0.1 }, "0 < from < to; got 1 and 0.1"],
    ["too few steps", { steps: 2 }, "a whole number from 3; got 2"],
    ["too much smoothing", { smoothing: 1 }, "from 0 to below 1; got 1"],
  ])("says what is wrong: %s", async (_name, options, message) => {
    await expect(findLearningRate(linear, { x, y }, { loss: squaredError, optimizer: sgd, ...options })).rejects.toThrow(message)
  })
})
