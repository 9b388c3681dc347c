// What an explanation of a function holds, in the small: paths by hand, uses, what blocks, opening, the optimizer, and renderings.
import { describe, expect, test } from "vitest"
import { composite } from "../control/call.ts"
import {
  clip,
  customVjp,
  fixedPoint,
  matmul,
  mul,
  random,
  relu,
  scan,
  sigmoid,
  softmax,
  stopGradient,
  sum,
  type Tensor,
  tanh,
  tensor,
  whileLoop,
  zeros,
} from "../index.ts"
import { crossEntropy, squaredError } from "../losses.ts"
import { batchNorm, conv2d, dense, flatten, lstm, maxPool, relu as reluLayer, sequential } from "../nn.ts"
import { adam, momentum, sgd } from "../optim.ts"
import { toDot } from "./dot.ts"
import { explain } from "./explain.ts"
import type { Explanation, Group } from "./explanation.ts"
import { renderMarkdown } from "./markdown.ts"
import { renderText } from "./text.ts"

const f64 = (x: Parameters<typeof tensor>[0]): Tensor => tensor(x, { dtype: "f64" })
const longest = (text: string): number => text.split("\n").reduce((most, line) => Math.max(most, line.length), 0)
const whole = (e: Explanation): Explanation => JSON.parse(JSON.stringify(e))

describe("the textbook's network, whose derivative has a path for each output", () => {
  // textbookPaths: dE/dw[0][0] through the three output pre-activations
  const w = f64([[0.1, 0.2, 0.3], [-0.4, 0.5, -0.6]]) // biome-ignore format: rows
  const v = f64([[0.7, -0.8, 0.9], [-1, 1.1, -1.2], [0.13, 0.14, -0.15]]) // biome-ignore format: rows
  const one = f64([1])
  const E = (w: Tensor): Tensor => {
    const h = sigmoid(matmul(w, f64([0.5, -1, 1])))
    return crossEntropy(matmul(v.slice([0, 3], [0, 2]), h).add(matmul(v.slice([0, 3], [2, 3]), one)), f64([0, 0, 1]))
  }
  test("has these three", () => {
    const e = explain(E, [w], { of: "0[0,0]" })
    const byOutput = e.paths.toSorted((a, b) => (outputOf(a) < outputOf(b) ? -1 : 1)).map(p => p.contribution)
    const wanted = [0.06264971393, -0.00660295221, -0.01249333066]
    byOutput.forEach((x, i) => expect(Math.abs(x - wanted[i]!)).toBeLessThan(1e-10))
    expect(byOutput).toHaveLength(3)
    expect(Math.abs(e.sumOfPaths - 0.04355343106)).toBeLessThan(1e-10)
    expect(e).toMatchObject({ numberOfPaths: 3, agrees: true, rest: { count: 0, contribution: 0 } })
  })
  const outputOf = (p: Explanation["paths"][number]): string => /\[(\d)\]/.exec(p.factors[0]!.by.name)![1]!
})

test("paths of a product that reads its factor twice", () => {
  const e = explain((x: Tensor) => mul(mul(x, x), x), [2], { of: "0" })
  // x x x: through either operand of the inner product, or directly
  expect(e.paths.map(p => p.contribution)).toEqual([4, 4, 4])
  expect(e).toMatchObject({ of: { name: "0", value: 2 }, error: 8, gradient: 12, sumOfPaths: 12, agrees: true })
  expect(e.uses.largest).toHaveLength(3)
})

test("what is not shown is counted and added up", () => {
  const f = (x: Tensor, w: Tensor): Tensor => sum(tanh(matmul(tanh(matmul(tanh(x), w)), w)))
  const w = random.normal(random.key(1), [5, 5], { dtype: "f64" })
  const e = explain(f, [random.normal(random.key(2), [1, 5], { dtype: "f64" }), w], { of: "0[0,2]", paths: 3 })
  expect(e.paths).toHaveLength(3)
  expect(e).toMatchObject({ numberOfPaths: 25, rest: { count: 22 }, agrees: true })
  const all = explain(f, [random.normal(random.key(2), [1, 5], { dtype: "f64" }), w], { of: "0[0,2]", paths: 99 })
  const left = all.paths.slice(3).reduce((total, p) => total + p.contribution, 0)
  expect(Math.abs(e.rest.contribution - left)).toBeLessThan(1e-14)
  expect(all.paths.slice(0, 3)).toEqual(e.paths)
  const sizes = all.paths.map(p => Math.abs(p.contribution))
  expect(sizes).toEqual(sizes.toSorted((a, b) => b - a))
})

describe("a weight in time", () => {
  test("has a term for each turn", () => {
    const f = (w: Tensor, xs: Tensor): Tensor => scan((h: Tensor, x: Tensor) => [tanh(h.mul(w).add(x)), null] as const, f64(0.5), xs)[0]
    const e = explain(f, [f64(0.8), f64([0.1, -0.3, 0.2, 0.4])], { of: "0" })
    expect(e.numberOfPaths).toBe(4)
    expect(e.uses.largest.map(u => u.scope.join("/")).toSorted()).toEqual(["t=0", "t=1", "t=2", "t=3"])
    const total = e.uses.largest.reduce((t, u) => t + u.contribution, 0)
    expect(Math.abs(total - e.gradient)).toBeLessThan(1e-14)
    expect(e.agrees).toBe(true)
  })
  test("of an LSTM too, whose composite opens because it holds a loop", () => {
    const model = sequential(lstm(2, 3), dense(3, 1)) as any
    const { params, state } = model.init(random.key(1), [4, 2])
    const x = random.normal(random.key(3), [1, 4, 2])
    const e = explain((p: any) => sum(model.apply(p, state, x)[0]), [params], { of: "layers.0.wh[1,2]" })
    expect(e.agrees).toBe(true)
    const turns = e.groups.groups
      .find(g => g.name === "layers.0")!
      .groups.find(g => g.name === "lstm")!
      .groups.map(g => g.name)
    expect(turns.toSorted()).toEqual(["t=1", "t=2", "t=3"])
  })
  test("of a loop that ends by a condition: forward mode says what the gradient is", () => {
    const f = (w: Tensor): Tensor =>
      whileLoop(
        (x: Tensor) => x.less(50),
        x => x.mul(w),
        f64(1),
      )
    const e = explain(f, [f64(3)], { of: "0" })
    expect(e).toMatchObject({ numberOfPaths: 4, error: 81, gradient: 108, agrees: true })
  })
})

test("a fixed point is one factor, its derivative that of the equation, and opens to the way there", () => {
  const f = (w: Tensor, x: Tensor): Tensor => sum(fixedPoint((h: Tensor) => tanh(matmul(h, w).add(x)), zeros([1, 2])))
  const inputs = [tensor([[0.1, 0.2], [0.3, 0.1]]), tensor([[1, 2]])] // biome-ignore format: rows
  const e = explain(f, inputs, { of: "0[1,0]" })
  expect(e).toMatchObject({ numberOfPaths: 2, agrees: true })
  expect(e.paths[0]!.factors.map(x => x.operation)).toEqual(["sum", "fixedPoint"])
  const open = explain(f, inputs, { of: "0[1,0]", open: ["fixedPoint"] })
  expect(Number(open.numberOfPaths)).toBeGreaterThan(10)
  expect(Math.abs(open.sumOfPaths - e.gradient)).toBeLessThan(1e-9)
})

describe("composites", () => {
  const model = sequential(dense(3, 4), reluLayer(), dense(4, 2)) as any
  const { params, state } = model.init(random.key(1), [3])
  const loss = (p: any, x: Tensor): Tensor => crossEntropy(model.apply(p, state, x)[0], tensor([1], { dtype: "i32" }))
  const inputs = [params, tensor([[1, 2, 3]])]
  const operations = (open?: boolean | readonly string[]): string[] =>
    explain(loss, inputs, { of: "layers.0.w[1,2]", ...(open !== undefined && { open }) }).applications.map(a =>
      [...a.scope, a.operation].join("/"),
    )
  test("are one factor each, and open by name, by scope, or all", () => {
    expect(operations()).toEqual(["layers.0/dense", "layers.1/relu", "layers.2/dense", "crossEntropy"])
    expect(operations(["relu"])).toEqual(["layers.0/dense", "layers.1/relu/select", "layers.2/dense", "crossEntropy"])
    expect(operations(["layers.2"])).toContain("layers.2/dense/matmul")
    expect(operations(["layers.2"])).toContain("layers.0/dense")
    expect(operations(true)).toContain("crossEntropy/exp")
  })
  test("formulas, numbers, values", () => {
    const [e] = [explain(loss, inputs, { of: "layers.0.w[1,2]" })]
    const factors = e.paths[0]!.factors
    expect(factors.map(x => x.formula)).toEqual([
      "softmax(x)_j - t_j over N, for the mean of N",
      "the weight w_ij",
      "1 if x > 0, else 0",
      "the input x_i",
    ])
    expect(factors.at(-1)).toMatchObject({ value: 2, by: { name: "layers.0.w[1,2]" }, result: { name: "layers.0/dense[0,2]" } })
    for (const x of factors) expect(x.difference).toBeLessThan(1e-9)
    expect(e.applications.find(a => a.operation === "dense" && a.scope[0] === "layers.2")!.units.largest).toHaveLength(2)
    expect(whole(e)).toEqual(e)
  })
  test("what enters groups is what their paths contribute", () => {
    const e = explain(loss, inputs, { of: "layers.0.w[1,2]" })
    const check = (g: Group): void => {
      expect(Math.abs(g.contribution - e.gradient)).toBeLessThan(1e-12)
      g.groups.forEach(check)
    }
    e.groups.groups.forEach(check)
    expect(e.groups.groups.map(g => g.name)).toEqual(["layers.0", "layers.1", "layers.2"])
  })
})

describe("why a gradient is 0", () => {
  test("a unit that is off", () => {
    const e = explain((w: Tensor) => sum(relu(w.mul(f64([1, -2])))), [f64([0.5, 0.5])], { of: "0[1]" })
    expect(e).toMatchObject({ gradient: 0, sumOfPaths: 0, numberOfPaths: 0, paths: [], agrees: true })
    expect(e.blocked.places[0]).toMatchObject({ at: { value: -1 }, arriving: -2 })
    expect(e.blocked.places[0]!.sentence).toContain("= -1, and there the derivative of")
    expect(renderText(e)).toContain("Where nothing gets through")
  })
  test("a gradient that was stopped", () => {
    const e = explain((w: Tensor) => sum(stopGradient(w).mul(2)), [f64([0.5])], { of: "0[0]" })
    expect(e.blocked.places[0]!.sentence).toContain("the derivative of stopGradient is 0 (0, as was asked)")
  })
  test("an input that nothing reads", () => {
    const e = explain((w: Tensor, _x: Tensor) => sum(w), [f64([0.5]), f64(1)], { of: "1" })
    expect(e).toMatchObject({ gradient: 0, finiteDifference: 0, numberOfPaths: 0, agrees: true })
    expect(renderText(e)).toContain("Nothing that is computed from it reaches E")
  })
})

describe("a gradient of one's own", () => {
  const doubled = (by: number): ((x: Tensor) => Tensor) =>
    customVjp(
      (x: Tensor) => tanh(x),
      (x: Tensor) => [tanh(x), [x]] as const,
      ([x]: readonly [Tensor], ct: Tensor) => [ct.mul(tanh(x).mul(tanh(x)).mul(-1).add(1)).mul(by)],
    ) as any
  test.each([
    [1, true],
    [2, false],
  ] as const)("times %d agrees: %s", (by, agrees) => {
    const e = explain((x: Tensor) => sum(doubled(by)(x)), [f64([0.3, 0.4])], { of: "0[1]", open: true })
    expect(e.agrees).toBe(agrees)
    expect(e.applications).toHaveLength(2)
    expect(Math.abs(e.sumOfPaths - e.gradient)).toBeLessThan(1e-14)
  })

  type Rule = (residual: Tensor, ct: Tensor) => Tensor
  /** tanh with another rule backwards, which may use x. */
  const ruled = (rule: Rule): ((x: Tensor) => Tensor) =>
    customVjp(
      (x: Tensor) => tanh(x),
      x => [tanh(x), x] as const,
      (x: Tensor, ct) => [rule(x, ct)],
    )
  const clipped: Rule = (x, ct) => clip(ct.mul(tanh(x).square().neg().add(1)), -0.5, 0.5)
  const DISAGREES = /^Differences disagree with the gradient that was given for customVjp/
  const cases: readonly (readonly [name: string, rule: Rule, after: number, verdict: RegExp, isSum: boolean])[] = [
    ["clips what arrives", clipped, 3, DISAGREES, true],
    ["does not come to clip", clipped, 0.25, /agree, and so does each factor/, true],
    ["clips by the norm", (_, ct) => ct.div(ct.square().sum().sqrt()), 3, DISAGREES, true],
    ["squares what arrives", (x, ct) => ct.mul(ct).mul(x), 3, DISAGREES, true],
    ["depends on residuals", (x, ct) => ct.mul(x).mul(tanh(x)), 3, DISAGREES, true],
    ["sends nothing back", (_, ct) => ct.mul(0), 3, /the gradient that was given for customVjp .* is not its derivative/, true],
    [
      "adds a constant",
      (x, ct) => ct.mul(tanh(x).square().neg().add(1)).add(1),
      3,
      /even where nothing arrives, which no path does/,
      false,
    ],
  ]
  test.each(cases)("a rule that %s", (_, rule, after, verdict, isSum) => {
    const e = explain(
      (x: Tensor, w: Tensor) => sum(ruled(rule)(matmul(w, x)).mul(after)),
      [
        f64([0.3, 0.4]),
        f64([
          [0.1, -0.7],
          [0.5, 2],
        ]),
      ],
      { of: "0[1]" },
    )
    expect(e.verdict).toMatch(verdict)
    expect(e.agrees).toBe(verdict.source.startsWith("agree"))
    const missing = -0.7 + 2 // of the constant, by the weights that it comes through
    expect(e.sumOfPaths).toBeCloseTo(e.gradient - (isSum ? 0 : missing), 12)
  })
  test("a rule that clips, in a composite that is closed and in one that is open", () => {
    const f = (x: Tensor): Tensor => sum(composite("head", {}, (y: Tensor) => ruled(clipped)(y.mul(2)))(x.square()).mul(9))
    const [closed, open] = [false, true].map(open => explain(f, [f64([0.3, 0.4])], { of: "0[0]", open }))
    for (const e of [closed!, open!]) {
      expect(e.gradient).toBeCloseTo(0.5 * 2 * 2 * 0.3, 12) // clipped to 0.5, times 2, times 2 x
      expect(e.sumOfPaths).toBeCloseTo(e.gradient, 12)
    }
    expect(closed!.verdict).toContain("given for head")
    expect(open!.paths[0]!.factors.find(x => x.operation === "customVjp")).toMatchObject({ formula: "rule(ct) / ct, the ct that arrives" })
  })
})

test.each([
  [
    "convolution and pooling",
    sequential(conv2d(1, 2, 3), reluLayer(), maxPool(2), flatten(), dense(8, 2)),
    [6, 6, 1],
    "layers.0.w[1,1,0,1]",
  ],
  ["batch norm", sequential(dense(3, 4), batchNorm(4), dense(4, 2)), [3], "layers.0.w[1,2]"],
] as const)("%s", (_, model: any, inShape, of) => {
  // biome-ignore format: rows
  const { params, state } = model.init(random.key(1), inShape)
  const x = random.normal(random.key(2), [2, ...inShape])
  const f = (p: any, x: Tensor): Tensor => squaredError(model.apply(p, state, x, { training: true })[0], zeros([2, 2]))
  const e = explain(f, [params, x], { of })
  expect(e.verdict).toContain("agree,")
  expect(Number(e.numberOfPaths)).toBeGreaterThan(3)
})

describe("the optimizer's arithmetic", () => {
  const f = (p: { w: Tensor }): Tensor => sum(tanh(p.w))
  const params = { w: f64([0.3, -0.2]) }
  const slope = 1 - Math.tanh(-0.2) ** 2
  test.each([
    ["sgd", sgd(0.1), -0.1 * slope],
    ["momentum", momentum(0.1), -0.1 * slope],
    ["adam", adam(0.1), -0.1 * (slope / (slope + 1e-8))],
  ])("%s", (_, optimizer, change) => {
    const e = explain(f, [params], { of: "w[1]", optimizer })
    const { lines, before, after, alone, all } = e.update!
    expect(after - before).toBeCloseTo(change, 12)
    expect(lines.at(-1)!.value).toBe(after)
    expect(lines[0]).toMatchObject({ symbol: "g", value: e.gradient })
    expect(alone.predicted).toBeCloseTo(slope * change, 12)
    expect(alone.actual).toBeCloseTo(Math.tanh(after) - Math.tanh(before), 12)
    expect(Math.abs(all.predicted)).toBeGreaterThan(Math.abs(alone.predicted))
  })
  test("goes on from a state", () => {
    const optimizer = adam(0.1)
    const [, state] = optimizer.update({ w: f64([1, 1]) }, optimizer.init(params), params)
    const { lines } = explain(f, [params], { of: "w[1]", optimizer, state }).update!
    const value = (symbol: string): number => lines.find(l => l.symbol === symbol)!.value
    expect(value("step")).toBe(2)
    expect(value("m")).toBeCloseTo(0.9 * 0.1 + 0.1 * slope, 12)
    expect(value("m'")).toBeCloseTo((0.9 * 0.1 + 0.1 * slope) / (1 - 0.9 ** 2), 12)
    expect(lines.find(l => l.symbol === "m")!.formula).toContain("0.9·0.1 + 0.1·")
  })
})

describe("renderings", () => {
  const model = sequential(dense(3, 4), reluLayer(), dense(4, 2)) as any
  const { params, state } = model.init(random.key(1), [3])
  const loss = (p: any, x: Tensor): Tensor => crossEntropy(model.apply(p, state, x)[0], tensor([1], { dtype: "i32" }))
  const e = explain(loss, [params, tensor([[1, 2, 3]])], { of: "layers.0.w[1,2]", optimizer: adam(0.01) })
  test("text of 80 columns", () => {
    const text = renderText(e)
    expect(longest(text)).toBeLessThanOrEqual(80)
    for (const part of ["Path 1 of 2", "the input x_i", "sum of all paths", "adjoint's grad", "From gradient to new value: adam"])
      expect(text).toContain(part)
    const deep = explain(loss, [params, tensor([[1, 2, 3]])], { of: "layers.0.w[1,2]", open: true })
    expect(longest(renderText(deep))).toBeLessThanOrEqual(80)
  })
  test("Markdown with formulas", () => {
    const text = renderMarkdown(e)
    expect(text).toContain("$\\frac{\\operatorname{softmax}(x)_j-t_j}{N}$")
    expect(text).toMatch(/\$\$f_\{1\} \\cdot f_\{2\} \\cdot f_\{3\} \\cdot f_\{4\} = /)
    expect(text).toContain("| sum of all paths |")
  })
  test("DOT", () => {
    const dot = toDot(e)
    expect(dot).toMatch(/^digraph adjoint \{/)
    expect(dot).toContain('label="layers.1"')
    expect(dot.split("\n").filter(l => l.includes(" -> "))).toHaveLength(4)
    expect((dot.match(/\{/g) ?? []).length).toBe((dot.match(/\}/g) ?? []).length)
  })
})

describe("refuses", () => {
  const x = f64([1, 2])
  test.each<[string, () => unknown, string]>([
    [
      "no scalar",
      () => explain((x: Tensor) => x, [x], { of: "0[0]" }),
      "must return one floating-point number, the error; it returned f64[2]",
    ],
    ["no such input", () => explain((p: any) => sum(p.w), [{ w: x }], { of: "v[0]" }), 'there is no input "v[0]"; there are w f64[2]'],
    ["no element", () => explain((x: Tensor) => sum(x), [x], { of: "0" }), "0 is f64[2]; name one element of it, from 0[0] to 0[1]"],
    ["outside", () => explain((x: Tensor) => sum(x), [x], { of: "0[2]" }), 'got "0[2]"'],
    [
      "integers",
      () => explain((x: Tensor, i: Tensor) => sum(x.take(i)), [x, tensor([1, 0], { dtype: "i32" })], { of: "1[0]" }),
      "1 holds i32",
    ],
    ["infinite", () => explain((x: Tensor) => sum(x.sub(1).log()), [x], { of: "0[0]" }), "the error is -Infinity, which has no slope"],
  ])("%s", (_, f, message) => {
    // biome-ignore format: rows
    expect(f).toThrow(message)
  })
})

test("softmax of three, opened: y_i (δ_ij - y_j) is a sum of paths", () => {
  const f = (x: Tensor): Tensor => softmax(x).at(1)
  const e = explain(f, [f64([0.1, 0.5, -0.3])], { of: "0[1]", open: true })
  const y = softmax(f64([0.1, 0.5, -0.3])).toArray() as number[]
  expect(e.sumOfPaths).toBeCloseTo(y[1]! * (1 - y[1]!), 14)
  expect(e.agrees).toBe(true)
})
