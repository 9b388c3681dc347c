// The numbers of worked examples, and random networks: factors, products, gradients and differences are one thing computed four ways.
import { describe, expect, it } from "vitest"
import { LONG } from "../../tests/long.ts"
import "../js.ts"
import { explainNetwork } from "./explain-network.ts"
import { WIDTH } from "./layout.ts"
import { type ActivationName, activationNames, type DenseLayer, type LossName, lossNames, lossOf, type Network } from "./network.ts"
import type { Factor, NetworkExplanation } from "./network-explanation.ts"
import { renderNetwork } from "./network-text.ts"

const close = (got: number, wanted: number, tolerance = 1e-12): void =>
  expect(Math.abs(got - wanted), `${got} for ${wanted}`).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(wanted)))
const factorNamed = ({ weights }: NetworkExplanation, symbol: string): Factor =>
  weights.flatMap(w => w.factors).find(f => f.symbol === symbol)!
const transposed = (rows: readonly (readonly number[])[]): number[][] => rows[0]!.map((_, j) => rows.map(row => row[j]!))
/** A layer from rows [out][in + 1], the bias last. */
const biasLast = (rows: readonly (readonly number[])[], activation: ActivationName): DenseLayer => ({
  w: transposed(rows.map(row => row.slice(0, -1))),
  b: rows.map(row => row.at(-1)!),
  activation,
})

describe("the worked example of one neuron", () => {
  const network: Network = { layers: [{ w: [[0.5], [0.2]], b: [1.83], activation: "logistic" }], loss: "half squared error" }
  const e = explainNetwork(network, { x: [0.1, 0.3], target: 0.03 })
  const [w1, w2, b] = e.weights as [NetworkExplanation["weights"][0], NetworkExplanation["weights"][0], NetworkExplanation["weights"][0]]

  it("goes forward", () => {
    expect(e.forward[0]!.quantities.map(q => q.symbol)).toEqual(["s", "y"])
    close(e.forward[0]!.quantities[0]!.value, 1.94)
    close(e.forward[0]!.quantities[1]!.value, 0.8743521434846544)
    close(e.error.value, 0.3564652711035652)
  })
  it("has the factors, and ds/db is 1", () => {
    expect(w1.factors.map(f => f.symbol)).toEqual(["dE/dy", "dy/ds", "ds/dw1"])
    close(factorNamed(e, "dE/dy").value, 0.8443521434846544)
    close(factorNamed(e, "dy/ds").value, 0.10986047266844473)
    expect(["ds/dw1", "ds/dw2", "ds/db"].map(s => factorNamed(e, s).value)).toEqual([0.1, 0.3, 1])
  })
  it("multiplies them to the gradient", () => {
    ;[0.00927609255818386, 0.02782827767455158, 0.0927609255818386].forEach((wanted, i) => {
      close(e.weights[i]!.product, wanted)
      close(e.weights[i]!.gradient, wanted)
      close(e.weights[i]!.finiteDifference, wanted, 1e-10)
    })
  })
  it("takes the step", () => {
    close(w1.update.after, 0.49990723907441814)
    close(w2.update.after, 0.1997217172232545)
    close(b.update.after, 1.8290723907441817)
    close(e.update.after, 0.3563705907489474)
    close(e.update.actual, 0.3563705907489474 - 0.3564652711035652)
  })
  it("predicts to first order what really happens", () => {
    close(w1.plusOne.predicted, w1.gradient)
    close(w1.plusOne.actual, 0.008990175224072638)
    close(w2.plusOne.actual, 0.02528436867040379)
    close(w1.step.predicted, -0.01 * w1.gradient ** 2)
    close(w1.step.actual, w1.step.predicted, 1e-9)
  })
  it("reads sign and size", () => {
    expect(w1.reading).toMatchObject({ sign: "positive", step: "lower", rank: 3 })
    close(w1.reading.share, 0.1)
    expect(b.reading.rank).toBe(1)
    expect(e.agrees).toBe(true)
  })
})

describe("textbook networks", () => {
  const w = [
    [0.1, 0.2, 0.3],
    [-0.4, 0.5, -0.6],
  ]
  const v = [
    [0.7, -0.8, 0.9],
    [-1, 1.1, -1.2],
    [0.13, 0.14, -0.15],
  ]
  const x = [0.5, -1]
  const deltas = (e: NetworkExplanation, path: string): number[] => e.deltas.filter(d => d.path === path).map(d => d.value)
  const wholeOf = (network: Network, target: readonly number[] | number): NetworkExplanation =>
    explainNetwork(network, { x, target }, { weights: ["layers.0.w[0,0]", "layers.0.w[0,1]", "layers.1.b[0]"] })

  it("softmax and cross-entropy: delta is y - t", () => {
    const network: Network = { layers: [biasLast(w, "logistic"), biasLast(v, "softmax")], loss: "cross-entropy" }
    const e = wholeOf(network, 2)
    close(e.error.value, 1.4834798395793265)
    ;[0.72003177, 0.05312131, -0.77315308].forEach((d, i) => close(deltas(e, "layers.1")[i]!, d, 1e-8))
    ;[0.08710686211514564, -0.1053267376642254].forEach((d, i) => close(deltas(e, "layers.0")[i]!, d))
    close(e.weights[0]!.product, 0.04355343106, 1e-10)
    // logits in the place of softmax: the same
    const logits = wholeOf({ ...network, layers: [network.layers[0]!, biasLast(v, "linear")] }, [0, 0, 1])
    close(logits.error.value, e.error.value)
    close(logits.weights[0]!.product, e.weights[0]!.product)
  })
  it.each([
    ["tanh", 3.108983769253519, [1.4935980509869677, -1.9967805088679549], [2.9748612501482103, -0.8730427251476082]],
    ["logistic", 1.1316135435289987, [0.9048688781746717, -1.201848326690564], [0.45624295319369357, -0.34432637620683254]],
  ] as const)("sum of squares with %s units", (activation, error, delta2, delta1) => {
    const network: Network = { layers: [biasLast(w, activation), biasLast(v.slice(0, 2), "linear")], loss: "half squared error" }
    const e = wholeOf(network, [0.2, -0.3])
    close(e.error.value, error)
    delta2.forEach((d, i) => close(deltas(e, "layers.1")[i]!, d))
    delta1.forEach((d, i) => close(deltas(e, "layers.0")[i]!, d))
  })
  it("shows the ways of a hidden unit, the largest first", () => {
    const e = wholeOf({ layers: [biasLast(w, "logistic"), biasLast(v, "softmax")], loss: "cross-entropy" }, 2)
    const { terms } = factorNamed(e, "dE/dh0[0]")
    expect(terms!.map(t => t.formula)).toEqual(["w1[0,0]·dE/ds1[0]", "w1[0,2]·dE/ds1[2]", "w1[0,1]·dE/ds1[1]"])
  })
})

/** Numbers in [0, 1), the same at every run. */
function randomNumbers(seed: number): () => number {
  let state = seed * 2654435761 + 1
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

/** The other form of gelu is in model.test.ts. */
const drawn = activationNames.filter(name => name !== "gelu by tanh")
function randomProblem(seed: number, width = 4): { network: Network; x: number[]; target: number[] } {
  const next = randomNumbers(seed)
  const pick = <T>(xs: readonly T[]): T => xs[Math.floor(next() * xs.length)]!
  const normal = (): number => 2 * (next() + next() + next()) - 3
  const loss: LossName = lossNames[seed % lossNames.length]!
  const { joined } = lossOf(loss)
  const depth = 1 + Math.floor(next() * 4)
  const sizes = Array.from({ length: depth + 1 }, () => 1 + Math.floor(next() * width))
  const layers = Array.from({ length: depth }, (_, l): DenseLayer => {
    const isLast = l === depth - 1
    return {
      w: Array.from({ length: sizes[l]! }, () => Array.from({ length: sizes[l + 1]! }, normal)),
      ...(next() < 0.8 && { b: Array.from({ length: sizes[l + 1]! }, normal) }),
      activation: isLast && joined ? pick([joined, "linear"]) : drawn[(seed + l) % drawn.length]!,
    }
  })
  const raw = Array.from({ length: sizes[depth]! }, next)
  const total = raw.reduce((a, b) => a + b, 0)
  return {
    network: { layers, loss, reduction: pick(["sum", "mean"]) },
    x: Array.from({ length: sizes[0]! }, normal),
    target: loss === "cross-entropy" ? raw.map(t => t / total) : raw,
  }
}

describe("random networks", () => {
  const all = (network: Network): string[] =>
    network.layers.flatMap(({ w, b }, l) => [
      ...w.flatMap((row, i) => row.map((_, j) => `layers.${l}.w[${i},${j}]`)),
      ...(b ?? []).map((_, j) => `layers.${l}.b[${j}]`),
    ])

  const networks = LONG ? 100 : 40
  it(`products are grad in ${networks} networks of depth 1 to 4, over all activations and losses`, () => {
    const seen = new Set<string>()
    let disagreements = 0
    for (let seed = 0; seed < networks; seed++) {
      const { network, x, target } = randomProblem(seed)
      const weights = all(network)
      const e = explainNetwork(network, { x, target }, { weights: weights.filter((_, i) => i % Math.ceil(weights.length / 8) === 0) })
      for (const layer of network.layers) seen.add(layer.activation)
      seen.add(network.loss)
      for (const w of e.weights) close(w.product, w.gradient)
      for (const w of e.weights)
        close(
          w.factors.reduce((p, f) => p * f.value, 1),
          w.product,
        )
      for (const d of e.deltas)
        close(
          d.factors.reduce((p, f) => p * f.value, 1),
          d.value,
        )
      for (const f of e.weights.flatMap(w => w.factors)) {
        if (!f.terms) continue
        close(f.terms.reduce((s, t) => s + t.value, 0) + (f.rest?.value ?? 0), f.value)
      }
      if (!e.agrees) disagreements++
    }
    expect(seen.size).toBe(drawn.length + lossNames.length)
    expect(disagreements).toBe(0)
  }, 120_000)

  it("texts keep to 80 columns", () => {
    for (let seed = 0; seed < 12; seed++) {
      const { network, x, target } = randomProblem(seed, 130)
      const text = renderNetwork(explainNetwork(network, { x, target }))
      expect(text.split("\n").filter(line => line.length > WIDTH)).toEqual([])
      expect(text).not.toMatch(/NaN|undefined|\(\(/)
    }
  })
})

describe("options", () => {
  const network: Network = {
    layers: [
      { w: [[1, -2, 3, 0.5, 1]], b: [0, 0, 0, 0, 0], activation: "relu" },
      { w: [[1], [1], [1], [1], [2]], activation: "linear" },
    ],
    loss: "squared error",
  }
  const example = { x: [1], target: 2 }

  it("a larger network is explained by its steepest weight", () => {
    const { weights } = explainNetwork(network, example)
    expect(weights.map(w => w.path)).toEqual(["layers.1.w[2,0]"])
    expect(weights[0]!.reading).toMatchObject({ rank: 1, share: 1 })
  })
  it("weights may be chosen by path, and a unit that is off says so", () => {
    const { weights } = explainNetwork(network, example, { weights: ["layers.0.w[0, 1]", "layers.0.b[4]"], learningRate: 0.5 })
    expect(weights.map(w => w.symbol)).toEqual(["w0[0,1]", "b0[4]"])
    expect(weights[0]!.reading).toMatchObject({ sign: "zero", step: "keep", blockedBy: "dh0[1]/ds0[1]" })
    expect(weights[1]!.update.after).toBe(-0.5 * weights[1]!.gradient)
  })
  it("what is not there is an error that says what is", () => {
    expect(() => explainNetwork(network, example, { weights: ["layers.0.w[1,0]"] })).toThrow(
      'there is no weight "layers.0.w[1,0]"; there are layers.0.w[0,0] to layers.0.w[0,4], layers.0.b[0] to layers.0.b[4], ' +
        "layers.1.w[0,0] to layers.1.w[4,0]",
    )
  })
  it("an error that is too large to have a slope is refused", () => {
    expect(() => explainNetwork(network, { x: [1e200], target: 2 })).toThrow("the error of this example is Infinity, which has no slope")
  })
  it("a kink is told apart from an error", () => {
    const atKink: Network = { layers: [{ w: [[1]], b: [0], activation: "relu" }], loss: "squared error" }
    const e = explainNetwork(atKink, { x: [0], target: 1 })
    expect(e.agrees).toBe(false)
    expect(renderNetwork(e)).toContain("E has a kink close by")
  })
})
