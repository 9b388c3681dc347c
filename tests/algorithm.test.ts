// What is said of backpropagation everywhere, each as a test: docs/mission.md has the list.
import {
  add,
  checkGrads,
  concat,
  grad,
  matmul,
  mul,
  random,
  relu,
  softmax,
  sub,
  type Tensor,
  type Tree,
  tanh,
  tensor,
  treeMap,
  valueAndGrad,
  vjp,
  vmap,
} from "adjoint"
import { printProgram, program } from "adjoint/explain"
import { absoluteError, binaryCrossEntropy, crossEntropy, halfSquaredError, type Loss, squaredError } from "adjoint/losses"
import * as nn from "adjoint/nn"
import { sgd } from "adjoint/optim"
import { describe, expect, test } from "vitest"
import { leaves } from "../src/core/tree.ts"

const f64 = (x: Parameters<typeof tensor>[0]): Tensor => tensor(x, { dtype: "f64" })
const draw = (seed: number, shape: readonly number[]): Tensor => random.normal(random.key(seed), shape, { dtype: "f64" })
const apart = (a: Tensor, b: Tensor): number => sub(a, b).abs().max().item()
const dot = (a: Tree, b: Tree): number => leaves(a).reduce((sum, x, i) => sum + mul(x, leaves(b)[i]!).sum().item(), 0)
/** A network of tanh layers as a function of its weights. */
const stack = (W: readonly Tensor[], x: Tensor): Tensor => W.reduce((a, w) => tanh(matmul(a, w)), x)
const weights = (depth: number, width = 4): Tensor[] => Array.from({ length: depth }, (_, i) => draw(10 + i, [width, width]))

describe("every slope of random networks of depth 1 to 5", () => {
  const activations = {
    ...{ linear: undefined, logistic: nn.logistic, tanh: nn.tanh, relu: nn.relu, leakyRelu: nn.leakyRelu, softmax: nn.softmax },
    ...{ swish: nn.swish, mish: nn.mish, elu: nn.elu, selu: nn.selu, gelu: nn.gelu, softplus: nn.softplus, softsign: nn.softsign },
  }
  const labels = softmax(draw(3, [5, 3]))
  const losses: Record<string, Loss> = { squaredError, halfSquaredError, absoluteError, binaryCrossEntropy, crossEntropy }
  test.each(Object.entries(activations))("%s with every loss", (name, activation) => {
    Object.values(losses).forEach((loss, k) => {
      const depth = 1 + ((k + name.length) % 5)
      const hidden = Array.from({ length: depth - 1 }, () => [nn.dense(3, 3, { dtype: "f64" }), ...(activation ? [activation()] : [])])
      const model = nn.sequential(...[...hidden.flat(), nn.dense(3, 3, { dtype: "f64" }), ...(activation ? [activation()] : [])])
      const { params: first, state } = model.init(random.key(k), [3])
      // biases of 0 would put units behind dead ones on the kink of relu
      const params = treeMap((x: Tensor) => add(x, mul(draw(7 * k + x.size, x.shape), 0.3)), first as Tree) as typeof first
      const E = (p: typeof params): Tensor => loss(model.apply(p, state, draw(2, [5, 3]))[0], labels)
      const towards = treeMap((x: Tensor) => draw(x.size, x.shape), params as Tree) as typeof params
      const at = (h: number): number =>
        E(treeMap((x: Tensor, d: Tensor) => add(x, mul(d, h)), params as Tree, towards as Tree) as typeof params).item()
      const measured = (at(1e-5) - at(-1e-5)) / 2e-5
      expect(Math.abs(dot(grad(E)(params) as Tree, towards as Tree) - measured)).toBeLessThan(1e-7 * Math.max(1, Math.abs(measured)))
    })
  })
})

describe("gradient and learning are two things", () => {
  const [W, x] = [weights(3), draw(1, [6, 4])]
  const E = (W: Tensor[]): Tensor => stack(W, x).square().mean()
  test("a gradient changes no parameter, an update takes gradients from anywhere", () => {
    const before = W.map(w => [...w.values()])
    const g = grad(E)(W)
    expect(W.map(w => [...w.values()])).toEqual(before)
    const [next] = sgd(0.1).update(g, sgd(0.1).init(W), W) as [Tensor[], unknown]
    next.forEach((w, i) => void expect(apart(w, sub(W[i]!, mul(g[i]!, 0.1)))).toBe(0))
  })
})

describe("work", () => {
  const x = draw(1, [6, 4])
  const count = (W: Tensor[], operation: string): number =>
    printProgram(
      grad((W: Tensor[]) => stack(W, x).square().mean()),
      [W],
      { inlined: true },
    ).split(` = ${operation} `).length - 1
  test("each delta is computed once: a layer more is two products more, whatever the depth", () => {
    // forwards one product a layer, backwards two, of which the first layer's inputs need none
    for (const depth of [1, 2, 3, 10, 20]) expect(count(weights(depth), "matmul"), String(depth)).toBe(3 * depth - 1)
  })
  test("backward runs no forward again: as many activations as layers", () => {
    for (const depth of [1, 5, 20]) expect(count(weights(depth), "tanh")).toBe(depth)
  })
  test("the four-index array of all slopes of a layer is never built", () => {
    const [N, M, K] = [8, 16, 32]
    const [x, w] = [draw(1, [N, M]), draw(2, [M, K])]
    const text = printProgram(
      grad((w: Tensor, x: Tensor) => tanh(matmul(x, w)).sum()),
      [w, x],
      { inlined: true },
    )
    const sizes = [...text.matchAll(/f64\[([\d,]*)\]/g)].map(([, shape]) => shape!.split(",").reduce((n, d) => n * Number(d || 1), 1))
    expect(Math.max(...sizes)).toBe(M * K) // the cube has N² M K
  })
  test("a gradient costs a fixed multiple of a forward pass, however many weights", () => {
    const cost = (width: number): number => {
      const [W, x] = [weights(3, width), draw(1, [6, width])]
      const E = (W: Tensor[]): Tensor => stack(W, x).square().mean()
      return program(grad(E), [W]).operations / program(E, [W]).operations
    }
    for (const width of [4, 16, 64]) expect(cost(width)).toBeLessThan(5)
  })
})

describe("forms of the same network", () => {
  const [W, x] = [weights(2), draw(1, [4])]
  test("a network is a composition of functions; evaluation ends at the output, training at the loss", () => {
    const output = stack(W, x)
    expect(apart(output, tanh(matmul(tanh(matmul(x, W[0]!)), W[1]!)))).toBe(0)
    const [E, g] = valueAndGrad((W: Tensor[]) => halfSquaredError(stack(W, x), x))(W) as [Tensor, Tensor[]]
    expect(E.item()).toBe(halfSquaredError(output, x).item())
    expect(g.map(g => g.shape)).toEqual(W.map(w => w.shape))
  })
  test("a bias is the weight of an input that is always 1", () => {
    const [w, b, xs] = [draw(2, [4, 3]), draw(3, [3]), draw(4, [5, 4])]
    const apartBias = (p: { w: Tensor; b: Tensor }): Tensor =>
      tanh(add(matmul(xs, p.w), p.b))
        .square()
        .mean()
    const ones = f64(Array(5).fill([1]))
    const asWeight = (wb: Tensor): Tensor =>
      tanh(matmul(concat([xs, ones], { axis: 1 }), wb))
        .square()
        .mean()
    const g = grad(apartBias)({ w, b })
    const joint = grad(asWeight)(concat([w, b.reshape(1, 3)])) as Tensor
    expect(apart(joint, concat([g.w, g.b.reshape(1, 3)]))).toBeLessThan(1e-15)
  })
  test("rows from left to right are the transpose of columns from right to left", () => {
    const rows = grad((W: Tensor[]) => stack(W, x.reshape(1, 4)).square().sum())(W) as Tensor[]
    const columns = grad((V: Tensor[]) =>
      V.reduce((a, v) => tanh(matmul(v, a)), x.reshape(4, 1))
        .square()
        .sum(),
    )(W.map(w => w.transpose()))
    rows.forEach((g, i) => void expect(apart(g, columns[i]!.transpose())).toBeLessThan(1e-14))
  })
  test("a missing connection is a weight 0 whose gradient is not used", () => {
    const mask = f64([1, 0, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 1, 1]).reshape(4, 4)
    const masked = (w: Tensor): Tensor =>
      tanh(matmul(x, mul(w, mask)))
        .square()
        .sum()
    const g = grad(masked)(W[0]!) as Tensor
    expect(mul(g, sub(1, mask)).abs().max().item()).toBe(0)
    const full = grad((w: Tensor) => tanh(matmul(x, w)).square().sum())(mul(W[0]!, mask)) as Tensor
    expect(apart(g, mul(full, mask))).toBe(0)
  })
  test("any graph without cycles: skips, and values that are read several times", () => {
    const E = (W: Tensor[]): Tensor => {
      const a = tanh(matmul(x, W[0]!))
      const b = tanh(add(matmul(a, W[1]!), x)) // past a
      const c = mul(a, add(b, a)) // a three times
      return add(c, matmul(b, W[0]!)).square().sum() // W[0] twice
    }
    expect(checkGrads(E, [W]).checks).toBeGreaterThan(10)
  })
})

describe("losses and layers", () => {
  const [xs, ts] = [draw(1, [6, 4]), softmax(draw(2, [6, 4]))]
  const W = weights(2)
  test.each([squaredError, halfSquaredError, crossEntropy].map(loss => [loss.kind, loss] as const))(
    "%s is an average over examples, and its gradient the mean of theirs",
    (_kind, loss) => {
      const one = (W: Tensor[], x: Tensor, t: Tensor): Tensor => loss(stack(W, x), t)
      const [E, g] = valueAndGrad((W: Tensor[]) => loss(stack(W, xs), ts))(W) as [Tensor, Tensor[]]
      const [Es, gs] = vmap((x: Tensor, t: Tensor) => valueAndGrad(one)(W, x, t))(xs, ts) as [Tensor, Tensor[]]
      expect(apart(Es.mean(), E)).toBeLessThan(1e-15)
      gs.forEach((each, i) => void expect(apart(each.mean({ axis: 0 }), g[i]!)).toBeLessThan(1e-15))
    },
  )
  test("a layer's way back needs its delta and its input alone: layers one by one are grad of the whole", () => {
    const layer = (w: Tensor, a: Tensor): Tensor => tanh(matmul(a, w))
    const values = [xs]
    for (const w of W) values.push(layer(w, values.at(-1)!))
    let delta = grad((y: Tensor) => halfSquaredError(y, ts))(values.at(-1)!) as Tensor
    const whole = grad((W: Tensor[]) => halfSquaredError(stack(W, xs), ts))(W) as Tensor[]
    for (let l = 1; l >= 0; l--) {
      const [, pull] = vjp(layer, W[l]!, values[l]!) // made anew, from the input that was kept
      const [towardsW, towardsInput] = pull(delta) as [Tensor, Tensor]
      expect(apart(towardsW, whole[l]!)).toBeLessThan(1e-16)
      delta = towardsInput
    }
  })
  test("relu has the slope 0 at 0", () => {
    expect((grad((x: Tensor) => relu(x).sum())(f64([-1, 0, 1])) as Tensor).toArray()).toEqual([0, 0, 1])
  })
  test("one-hot targets: cross-entropy and its slopes are those of class numbers", () => {
    const [logits, classes] = [draw(5, [6, 4]), tensor([0, 3, 1, 2, 2, 0], { dtype: "i32" })]
    const oneHot = f64([0, 3, 1, 2, 2, 0].map(c => [0, 1, 2, 3].map(k => (k === c ? 1 : 0))))
    const [a, b] = [oneHot, classes].map(t => grad((x: Tensor) => crossEntropy(x, t))(logits) as Tensor)
    expect(apart(a!, b!)).toBeLessThan(1e-16)
  })
})
