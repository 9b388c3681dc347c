// Where a NaN or an infinity comes from, forwards and backwards, through everything that programs are made of.
import { readFileSync } from "node:fs"
import { basename } from "node:path"
import { expect, test } from "vitest"
import * as a from "../src/explain.ts"
import {
  abs,
  add,
  asin,
  cast,
  cond,
  customVjp,
  div,
  exp,
  grad,
  greater,
  jit,
  less,
  log,
  matmul,
  maximum,
  mean,
  mul,
  norm,
  pow,
  random,
  relu,
  scan,
  sigmoid,
  softmax,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  treeMap,
  where,
  whileLoop,
} from "../src/index.ts"
import { crossEntropy, squaredError } from "../src/losses.ts"
import { dense, relu as reluLayer, sequential } from "../src/nn.ts"

type Row = readonly [name: string, f: (...args: any[]) => any, inputs: readonly unknown[], wanted: Partial<a.Origin>, remedy: RegExp]

const x = tensor([1, 0, 2])
const handSoftmax = (z: Tensor): Tensor => div(exp(z), sum(exp(z), { axis: -1, keepdims: true }))
const model = sequential(dense(2, 3), reluLayer(), dense(3, 1))
const { params, state } = model.init(random.key(1), [2])
const wild = treeMap(w => w.mul(1e20), params)
const step = (h: Tensor, x: Tensor) => [h.mul(h).add(x), null] as const
const wrongRule = customVjp(
  (x: Tensor) => x.mul(x),
  x => [x.mul(x), x],
  (x, ct) => [ct.mul(x).div(x.sub(x))],
)

const rows: readonly Row[] = [
  ["log of 0", x => log(x).sum(), [x], { phase: "forward", operation: "log", cause: "logOfZero", index: [1], value: -Infinity }, /clip/],
  ["log of a negative", x => log(x).sum(), [tensor([1, -2])], { operation: "log", cause: "logOfNegative", index: [1], value: NaN }, /neg/],
  [
    "log of a softmax",
    z =>
      log(softmax(z))
        .mul(tensor([0, 1]))
        .sum()
        .neg(),
    [tensor([200, 0])],
    { phase: "forward", operation: "log", cause: "logOfZero", index: [1], count: 1, size: 2 },
    /logSoftmax, or crossEntropy/,
  ],
  ["log of a sigmoid", z => log(sigmoid(z)).sum(), [tensor([-200])], { operation: "log", cause: "logOfZero" }, /binaryCrossEntropy/],
  [
    "softmax by hand",
    z => handSoftmax(z).at(0),
    [tensor([100, 0])],
    { operation: "exp", cause: "expOverflow", index: [0] },
    /softmax and logsumexp/,
  ],
  [
    "0 / 0",
    (x, y) => div(x, y).sum(),
    [x, x],
    { operation: "div", cause: "zeroByZero", index: [1], value: NaN },
    /small number to the divisor/,
  ],
  ["x / 0", (x, y) => div(x, y).sum(), [tensor([1, 1, 1]), x], { operation: "div", cause: "zeroDivision", value: Infinity }, /divisor/],
  ["root of a negative", x => sqrt(x).sum(), [tensor([4, -1])], { operation: "sqrt", cause: "sqrtOfNegative", index: [1] }, /maximum/],
  [
    "root at 0, backwards",
    x => sqrt(x).sum(),
    [x],
    { phase: "backward", operation: "sqrt", cause: "sqrtSlope", index: [1] },
    /sqrt\(x \+ 1e-12\)/,
  ],
  [
    "norm at 0, backwards",
    x => sqrt(sum(square(x))),
    [tensor([0, 0])],
    { phase: "backward", operation: "sqrt", cause: "sqrtSlope" },
    /below the root/,
  ],
  ["power at 0, backwards", x => pow(x, 0.3).sum(), [x], { phase: "backward", operation: "pow", cause: "powSlope" }, /base away from 0/],
  ["negative power of 0", x => pow(x, -1.5).sum(), [x], { operation: "pow", cause: "powOfZero", value: Infinity }, /power of 0/],
  ["root of a negative as a power", x => pow(x, 0.3).sum(), [tensor([-4])], { operation: "pow", cause: "powOfNegative" }, /negative base/],
  ["asin outside", x => asin(x).sum(), [tensor([1.5])], { operation: "asin", cause: "domain" }, /Clip/],
  ["asin at the edge, backwards", x => asin(x).sum(), [tensor([1])], { phase: "backward", operation: "asin", cause: "edgeSlope" }, /Clip/],
  ["square too large", x => square(x).sum(), [tensor([1e30])], { operation: "mul", cause: "overflow", value: Infinity }, /standardise/],
  [
    "product too large",
    (w, x) => matmul(w, x).sum(),
    [tensor([[1e30]]), tensor([[1e30]])],
    { operation: "matmul", cause: "overflow" },
    /rate/,
  ],
  ["f64 to f32", x => cast(x, "f32").sum(), [tensor([1e300], { dtype: "f64" })], { operation: "cast", cause: "castOverflow" }, /f64/],
  [
    "inf - inf by a mask",
    x => sub(where(greater(x, 5), x, -Infinity), -Infinity).sum(),
    [x],
    { operation: "sub", cause: "infMinusInf" },
    /-1e9/,
  ],
  [
    "0 times an infinite mask",
    x => mul(x, tensor([1, Infinity, 1])).sum(),
    [x],
    { operation: "mul", cause: "zeroTimesInf", index: [1] },
    /where/,
  ],
  [
    "an argument",
    (x, y) => add(x, y.b[0]).sum(),
    [x, { b: [tensor([0, NaN, 0])] }],
    { phase: "input", operation: "1.b.0", index: [1] },
    /data/,
  ],
  ["a constant from outside", x => mul(x, tensor(NaN)).sum(), [x], { phase: "input", operation: "a tensor from outside" }, /data/],
  [
    "chosen after the division, backwards",
    x => where(greater(x, 0), div(1, x), 0).sum(),
    [tensor([1e-30])],
    { phase: "backward", operation: "div" },
    /divisor/,
  ],
  ["in jit", jit((x: Tensor) => mean(log(x))), [x], { operation: "log", cause: "logOfZero", index: [1] }, /clip/],
  [
    "in a function that is jitted",
    x => jit((y: Tensor) => sqrt(y))(x.sub(1)).sum(),
    [x],
    { operation: "sqrt", index: [1] },
    /root of a negative/,
  ],
  [
    "in a layer",
    (p, x) => squaredError(model.apply(p, state, x)[0], tensor([[1]])),
    [wild, tensor([[1, 1]])],
    { phase: "forward", scope: ["layers.2", "dense"], operation: "matmul" },
    /smaller weights/,
  ],
  [
    "in a loss",
    z => crossEntropy(z, tensor([7], { dtype: "i32" })),
    [tensor([[1, 2]])],
    { operation: "select", cause: "chosen" },
    /class number/,
  ],
  [
    "in a turn of a loop",
    (h, xs) => scan(step, h, xs)[0],
    [tensor(2), tensor([1, 1, 1, 1, 1, 1, 1, 1])],
    { operation: "mul", cause: "overflow", scope: ["turn 6"] },
    /clip/,
  ],
  [
    "in a loop with a condition",
    x =>
      whileLoop(
        (v: Tensor) => less(v, 5),
        (v: Tensor) => log(v),
        x,
      ),
    [tensor(1)],
    { operation: "log", cause: "logOfZero", scope: ["turn 1"] },
    /clip/,
  ],
  [
    "in a branch",
    x =>
      cond(
        greater(x, -5),
        (y: Tensor) => log(y),
        (y: Tensor) => y,
        x,
      ),
    [tensor(-1)],
    { operation: "log", cause: "logOfNegative" },
    /negative/,
  ],
  [
    "in a loop, backwards",
    (h, xs) => scan((c: Tensor, x: Tensor) => [sqrt(abs(c)).mul(x), null] as const, h, xs)[0],
    [tensor(1), tensor([1, 0, 1])],
    { phase: "backward", operation: "sqrt", scope: ["turn 2"] },
    /below the root/,
  ],
  [
    "in a gradient that is part of the function",
    x => sum(grad((y: Tensor) => sqrt(y).sum())(x)),
    [x],
    { phase: "forward", operation: "div", cause: "zeroDivision" },
    /divisor/,
  ],
  ["in a rule of the user's", x => wrongRule(x).sum(), [x], { phase: "backward", operation: "customVjp", cause: "rule" }, /diagnose/],
]

test.each(rows)("%s", (_name, f, inputs, wanted, remedy) => {
  const origin = a.findOrigin(f, inputs)
  expect(origin).toMatchObject(wanted)
  expect(origin!.remedy).toMatch(remedy)
  expect(JSON.parse(JSON.stringify(origin)).sentence).toBe(origin!.sentence)
  for (const line of a.renderOrigin(origin).split("\n")) expect(line.length).toBeLessThanOrEqual(line.startsWith("  line") ? 200 : 80)
})

const harmless: readonly (readonly [string, (...args: any[]) => any, readonly unknown[]])[] = [
  ["finite", x => square(x).sum(), [x]],
  ["a mask that softmax turns to 0", x => softmax(where(greater(x, 0), x, -Infinity)).at(0), [x]],
  ["a branch that is not taken", x => where(greater(x, 0), log(maximum(x, 1e-9)), 0).sum(), [x]],
  ["log of 0 that where leaves out", x => where(greater(x, 0), log(x), 0).sum(), [x]],
  ["relu at 0", x => relu(x).sum(), [x]],
  ["no gradient asked for", x => norm(x), [tensor([3, 4])]],
]
test.each(harmless)("nothing is found: %s", (_name, f, inputs) => {
  expect(a.findOrigin(f, inputs)).toBe(null)
  expect(a.renderOrigin(null)).toContain("finite")
})

test("the line that asked for the operation", () => {
  function hidden(x: Tensor): Tensor {
    const shifted = x.sub(2)
    return shifted.log() // the line
  }
  const source = readFileSync(import.meta.filename, "utf8").split("\n")
  const forward = a.findOrigin(x => hidden(x).sum(), [x])!
  expect(basename(forward.line!.file)).toBe("origin.test.ts")
  expect(source[forward.line!.line - 1]).toContain("// the line")
  expect(forward.line!.in).toBe("hidden")
  const text = a.renderOrigin(forward).split("\n")
  expect(text.filter(line => !line.startsWith("  line"))).toEqual([
    "log(-1) is NaN at [0].",
    "  operand 0: f32[3] at [0] is -1",
    "  3 of 3 elements of the result are not finite",
    "The logarithm of a negative number does not exist: look at what makes the",
    "  operand negative, or clip it.",
  ])
})

test("the line of the forward operation whose gradient it is", () => {
  const source = readFileSync(import.meta.filename, "utf8").split("\n")
  const length = (x: Tensor): Tensor => sqrt(sum(square(x))) // of the root
  const origin = a.findOrigin(length, [tensor([0, 0])])!
  expect(source[origin.line!.line - 1]).toContain("// of the root")
  expect(origin.operands.map(o => [o.name, o.value])).toEqual([
    ["operand 0", 0],
    ["cotangent", 1],
  ])
})

test("no line where there is none of the user's", () => {
  const f = jit((x: Tensor) => log(x).sum())
  f(tensor([1, 1, 1]))
  expect(a.findOrigin(f, [x])!.line).toBe(undefined)
})
