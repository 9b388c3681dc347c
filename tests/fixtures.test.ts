// Worked examples of textbooks and tutorials, recomputed independently in float64. Numbers in names are those of the list they come from.
import { describe, expect, it } from "vitest"
import {
  add,
  concat,
  grad,
  jit,
  log,
  matmul,
  mul,
  random,
  sigmoid,
  softmax,
  softplus,
  sub,
  swish,
  type Tensor,
  tanh,
  tensor,
  valueAndGrad,
  vjp,
} from "../src/js.ts"
import { absoluteError, binaryCrossEntropy, crossEntropy, halfSquaredError, squaredError } from "../src/losses/index.ts"
import { dense, logistic, type Params, sequential } from "../src/nn/index.ts"
import { momentum, sgd } from "../src/optim/index.ts"

const f64 = (x: Parameters<typeof tensor>[0]): Tensor => tensor(x, { dtype: "f64" })
const flat = (x: Tensor | readonly number[] | number): number[] => (typeof x === "number" ? [x] : "dtype" in x ? [...x.values()] : [...x])
/** Equal within `tolerance`, relative for numbers above 1. */
function same(got: Tensor | readonly number[] | number, wanted: readonly number[] | number, tolerance = 1e-12): void {
  const [g, w] = [flat(got), flat(wanted)]
  expect(g.length).toBe(w.length)
  w.forEach((x, i) => expect(Math.abs(g[i]! - x), `${g} for ${w}`).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(x))))
}
const withOne = (x: Tensor): Tensor => concat([x, f64([1])])

describe("workedExample_80_85", () => {
  const x = f64([[0.1, 0.3]])
  const target = f64([[0.03]])
  const eta = 0.01
  const model = sequential(dense(2, 1, { dtype: "f64" }), logistic())
  const at = (w: readonly number[], b: number): Params => ({ layers: [{ w: f64(w.map(v => [v])), b: f64([b]) }, {}] })
  const predict = (p: Params, z = x): Tensor => model.apply(p, { layers: [{}, {}] }, z)[0]
  const errorOf = (p: Params): Tensor => halfSquaredError(predict(p), target)
  const start = at([0.5, 0.2], 1.83)
  const first = (p: Params): { w: Tensor; b: Tensor } => (p.layers as unknown as [{ w: Tensor; b: Tensor }])[0]
  const [error, g] = valueAndGrad(errorOf)(start) as [Tensor, Params]

  it("forward: pre-activation, prediction, error", () => {
    same(add(matmul(x, first(start).w), first(start).b), 1.94)
    same(predict(start), 0.8743521434846544)
    same(error, 0.3564652711035652)
  })
  it("the chain of derivatives", () => {
    const y = predict(start)
    same(grad((y: Tensor) => halfSquaredError(y, target))(y), 0.8443521434846544)
    same(grad((s: Tensor) => sigmoid(s).sum())(f64(1.94)), 0.10986047266844473)
    same(first(g).w, [0.00927609255818386, 0.02782827767455158])
    same(first(g).b, 0.0927609255818386)
  })
  it("the gradient step", () => {
    const [next] = sgd(eta).update(g, sgd(eta).init(start), start)
    same(first(next).w, [0.49990723907441814, 0.1997217172232545])
    same(first(next).b, 1.8290723907441817)
    same(errorOf(next), 0.3563705907489474)
  })
  it("the update without backpropagation, which leaves the logistic function's derivative out", () => {
    const delta = sub(predict(start), target).item()
    const w = [0.5 - eta * delta * 0.1, 0.2 - eta * delta * 0.3]
    const b = 1.83 - eta * delta
    same(w, [0.49915564785651534, 0.19746694356954606])
    same(b, 1.8215564785651535)
    same(errorOf(at(w, b)), 0.3556012437880609)
  })
  it("what a weight larger by 1 really does, against what the derivative promises", () => {
    same(errorOf(at([1.5, 0.2], 1.83)).item() - error.item(), 0.008990175224072638)
    same(errorOf(at([0.5, 1.2], 1.83)).item() - error.item(), 0.02528436867040379)
  })
})

it("small sums", () => {
  same(add(mul(f64(0.5), 4), 1), 3)
  same(absoluteError(f64(4), f64(1.3)), 2.7)
  // d(X² Z + H)/dX = 2 X Z
  const [X, Z, H] = [f64(3), f64(-1.5), f64(7)]
  same(grad((X: Tensor) => add(mul(mul(X, X), Z), H))(X), 2 * 3 * -1.5)
})

it("the error of the worked example as one closed form has the chain's derivative", () => {
  const E = (w: Tensor): Tensor =>
    f64(1)
      .div(
        add(
          1,
          add(w.mul(f64([0.1, 0.3])).sum(), 1.83)
            .neg()
            .exp(),
        ),
      )
      .sub(0.03)
      .square()
      .mul(0.5)
  same(grad(E)(f64([0.5, 0.2])), [0.00927609255818386, 0.02782827767455158])
})

const w0 = f64([
  [0.1, 0.2, 0.3],
  [-0.4, 0.5, -0.6],
])
const v0 = f64([
  [0.7, -0.8, 0.9],
  [-1, 1.1, -1.2],
  [0.13, 0.14, -0.15],
])
const x0 = f64([0.5, -1])
/** Two layers with dummy inputs 1 for the biases, and the pre-activations' offsets, whose gradients are the deltas. */
const twoLayers =
  (hidden: (a: Tensor) => Tensor, v: Tensor) =>
  (d1: Tensor, d2: Tensor): Tensor =>
    add(matmul(v, withOne(hidden(add(matmul(w0, withOne(x0)), d1)))), d2)

describe("textbookNet_44_53", () => {
  const out = twoLayers(sigmoid, v0)
  const t = f64([0, 0, 1])
  const none = { d1: f64([0, 0]), d2: f64([0, 0, 0]) }
  const E = ({ d1, d2 }: typeof none): Tensor => crossEntropy(out(d1, d2), t)
  it("outputs and error", () => {
    same(softmax(out(none.d1, none.d2)), [0.7200317694759113, 0.05312130811073222, 0.22684692241335663])
    same(E(none), 1.4834798395793265)
  })
  it("the deltas of both layers", () => {
    const { d1, d2 } = grad(E)(none) as typeof none
    same(d2, [0.72003177, 0.05312131, -0.77315308], 1e-8)
    same(d1, [0.08710686211514564, -0.1053267376642254])
  })
  it("the paths of one weight's derivative through the outputs", () => {
    const weights = (w: Tensor): Tensor => matmul(v0, withOne(sigmoid(matmul(w, withOne(x0)))))
    const [a, pull] = vjp(weights, w0)
    const delta = grad((a: Tensor) => crossEntropy(a, t))(a) as Tensor
    const paths = [0, 1, 2].map(k =>
      pull(mul(delta, f64([0, 1, 2].map(i => (i === k ? 1 : 0)))))[0]
        .at(0)
        .at(0)
        .item(),
    )
    same(paths, [0.06264971393, -0.00660295221, -0.01249333066], 1e-10)
    same(
      paths.reduce((a, b) => a + b),
      0.04355343106,
      1e-10,
    )
  })
  it("is ln 3 when all weights are equal", () => {
    const equal = f64(Array(3).fill([0.5, 0.5, 0.5]))
    const h = sigmoid(matmul(f64(Array(2).fill([0.5, 0.5, 0.5])), withOne(x0)))
    same(crossEntropy(matmul(equal, withOne(h)), t), 1.0986122886681098)
  })
})

describe("sumOfSquaresNet_58", () => {
  const t = f64([0.2, -0.3])
  const cases: [string, (a: Tensor) => Tensor, number, number[], number[]][] = [
    ["tanh", tanh, 3.108983769253519, [1.4935980509869677, -1.9967805088679549], [2.9748612501482103, -0.8730427251476082]],
    ["logistic", sigmoid, 1.1316135435289987, [0.9048688781746717, -1.201848326690564], [0.45624295319369357, -0.34432637620683254]],
  ]
  it.each(cases)("%s", (_name, hidden, wanted, delta2, delta1) => {
    const out = twoLayers(hidden, v0.slice([0, 2]))
    const none = { d1: f64([0, 0]), d2: f64([0, 0]) }
    const [E, { d1, d2 }] = valueAndGrad((d: typeof none) => halfSquaredError(out(d.d1, d.d2), t, { reduction: "sum" }))(none)
    same(E, wanted)
    same(d2, delta2)
    same(d1, delta1)
  })
})

it("crossEntropyExample_68", () => {
  const logits = log(f64([0.1, 0.7, 0.2]))
  const t = f64([0, 1, 0])
  same(crossEntropy(logits, t), 0.35667494393873245)
  same(grad((x: Tensor) => crossEntropy(x, t))(logits), [0.1, -0.3, 0.2])
  same(squaredError(f64([0.1, 0.7, 0.2]), t, { reduction: "sum" }), 0.14)
})

it("softmaxVjp_30", () => {
  const [, pull] = vjp((x: Tensor) => softmax(x), f64([0.2, -0.5, 1.1]))
  same(pull(f64([0.3, -0.7, 0.4]))[0], [0.016012916668, -0.117569366951, 0.101556450283])
})

it("sigmoidClassifier_33", () => {
  const X = f64([
    [0.5, -1],
    [1.5, 0.25],
  ])
  const y = f64([1, 0])
  const params = {
    W1: f64([
      [0.1, -0.2],
      [0.3, 0.4],
    ]),
    W2: f64([0.6, -0.7]),
  }
  const E = ({ W1, W2 }: typeof params): Tensor => binaryCrossEntropy(matmul(sigmoid(matmul(X, W1)), W2), y, { reduction: "sum" })
  const [value, g] = valueAndGrad(E)(params)
  same(value, 1.39637566972699)
  const after = (eta: number): Tensor => E({ W1: sub(params.W1, mul(g.W1, eta)), W2: sub(params.W2, mul(g.W2, eta)) })
  same(after(0.1), 1.39255, 5e-6)
  same(after(-0.1), 1.40023, 5e-6)
})

it("quadraticForm_36", () => {
  const x = f64([0.5, -1])
  const A = f64([
    [1, 2],
    [3, 4],
  ])
  same(grad((x: Tensor) => matmul(x, matmul(A, x)))(x), [-4, -5.5])
  same(grad((x: Tensor) => mul(matmul(x, x), 3))(x), [3, -6])
  const outer = (x: Tensor): Tensor => mul(x.reshape(2, 1), x)
  same(grad((x: Tensor) => matmul(x, matmul(outer(x), x)))(x), [2.5, -5])
})

describe("columnMajor_38_42", () => {
  const x = f64([0.3, 0.2, 0, 0.5])
  const desired = f64([1, 0, 0])
  // a matrix [out, in] by columns is one [in, out] by rows
  const layer = (w: readonly number[], x: Tensor, b: Tensor): Tensor => sigmoid(add(matmul(x, f64(w).reshape(x.size, -1)), b))
  const half = (y: Tensor): Tensor => halfSquaredError(y, desired, { reduction: "sum" })
  it("final layer", () => {
    const W = [-0.2, 0, 0.2, -0.1, 0.1, -0.2, 0, 0.2, -0.1, 0.1, -0.2, 0]
    const b = f64([0.1, -0.2, 0.3])
    const E = (b: Tensor): Tensor => half(layer(W, x, b))
    same(grad(E)(b), [-0.12047913836, 0.10553147802, 0.14118575962], 1e-10)
    const numeric = [0, 1, 2].map(k => (E(add(b, f64([0, 1, 2].map(i => (i === k ? 1e-3 : 0))))).item() - E(b).item()) / 1e-3)
    same(numeric, [-0.12044584839, 0.10556886576, 0.14120424129], 1e-10)
  })
  it("layer in the middle", () => {
    const W1 = [0.5, -0.3, 0.2, 0.1, -0.4, 0.6, 0.7, -0.8]
    const W2 = [0.3, -0.6, 0.9, -0.2, 0.4, 0.8]
    const E = (b: Tensor): Tensor => half(layer(W2, layer(W1, x, b), f64([0.1, 0.2, -0.3])))
    same(grad(E)(f64([0.05, -0.1])), [0.00602170613, 0.04356852206], 1e-10)
  })
})

it("nineStep_102", () => {
  const V = f64([
    [0.3, -0.2],
    [0.1, 0.4],
    [-0.5, 0.2],
  ])
  const W = f64([0.2, 0.6, -0.7])
  const z = sigmoid(matmul(f64([1, 0.1, 0.3]), V))
  const s = matmul(concat([f64([1]), z]), W)
  same(sigmoid(s), 0.5477129675, 1e-10)
  const delta = grad((s: Tensor) => halfSquaredError(sigmoid(s), f64(0.9)))(s) as Tensor
  same(delta.neg(), 0.08726976708, 1e-10)
})

it("momentum_95: Δw(n) = α Δw(n-1) - (1 - α) η g", () => {
  const [eta, alpha] = [0.1, 0.9]
  const o = momentum((1 - alpha) * eta, alpha)
  let w = f64(1)
  let state = o.init(w)
  const seen: number[] = []
  for (let i = 0; i < 3; i++) {
    const g = grad((w: Tensor) => mul(mul(w, w), 0.5))(w) as Tensor
    ;[w, state] = o.update(g, state, w)
    seen.push(w.item())
  }
  same(seen, [0.99, 0.9711, 0.944379])
})

describe("activationsAt1_66", () => {
  const mish = (x: Tensor): Tensor => mul(x, tanh(softplus(x)))
  const cases: [string, (x: Tensor) => Tensor, number, number][] = [
    ["logistic", sigmoid, 0.7310585786300049, 0.19661193324148185],
    ["tanh", tanh, 0.7615941559557649, 0.41997434161402614],
    ["swish", swish, 0.7310585786300049, 0.9276705118714867],
    ["mish", mish, 0.8650983882673103, 1.0490362200997922],
  ]
  it.each(cases)("%s", (_name, f, value, slope) => {
    const [y, g] = valueAndGrad(f)(f64(1))
    same(y, value)
    same(g, slope)
  })
})

it("logisticDerivativeAt_91", () => {
  const slope = (x: number): Tensor => grad((x: Tensor) => sigmoid(x))(f64(x))
  same(slope(0), 0.25)
  same(slope(5), 0.006648056670790033)
  same(slope(10), 4.5395807735907655e-5)
})

it("parabolicCylinder_62", () => {
  const E = (w: Tensor): Tensor => w.sum().square()
  const start = f64([0.3, 0.5])
  same(E(start), 0.64)
  const step = (w: Tensor, eta: number): Tensor => sgd(eta).update(grad(E)(w) as Tensor, sgd(eta).init(w), w)[0]
  same(E(step(start, 0.1)), 0.2304)
  same(E(step(start, 0.25)), 0)
  same(E(step(start, 0.5)), 0.64)
  same(E(step(start, 0.51)), 0.692224)
  let w = start
  for (let i = 0; i < 200; i++) w = step(w, 0.1)
  same(w, [-0.1, 0.1])
})

describe("run80000_86_88", () => {
  const epochs = 80_000
  const x = f64([0.1, 0.4])
  const target = f64(0.7)
  const o = sgd(0.01)
  const predict = (w: Tensor): Tensor => sigmoid(matmul(w, x))
  const epoch = jit((w: Tensor): Tensor => o.update(grad((w: Tensor) => squaredError(predict(w), target))(w) as Tensor, o.init(w), w)[0], {
    donate: [0],
  })
  /** What the last epoch predicts, before its own update. */
  function train(start: readonly number[]): { prediction: number; error: number } {
    let w = f64(start)
    for (let i = 1; i < epochs; i++) w = epoch(w)
    const y = predict(w)
    return { prediction: y.item(), error: squaredError(y, target).item() }
  }
  it("from weights 0.5 and 0.5", { timeout: 10_000 }, () => {
    const { prediction, error } = train([0.5, 0.5])
    same(prediction, 0.6999994192642245)
    expect(Math.abs(error / 3.372540409088317e-13 - 1)).toBeLessThan(1e-7)
  })
  it("from the initial weights of the script", { timeout: 10_000 }, () => {
    const { prediction, error } = train([0.5, 0.5637461430935994])
    same(prediction, 0.6999994386664375)
    expect(Math.abs(error / 3.150953682878443e-13 - 1)).toBeLessThan(1e-7)
  })
  it("from any weights in [0, 1]", { timeout: 20_000 }, () => {
    const [a, b] = random.uniform(random.key(86), [2]).values()
    const { prediction, error } = train([a!, b!])
    expect(prediction).toBeGreaterThan(0.6999992425)
    expect(prediction).toBeLessThan(0.6999996254)
    expect(error).toBeGreaterThan(1.4037e-13)
    expect(error).toBeLessThan(5.7381e-13)
  })
})
