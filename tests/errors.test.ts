// What is said when something is wrong: the class of the error, what was wanted, what came, and what to do.
import { describe, expect, test } from "vitest"
import * as a from "../src/index.ts"
import { arrays } from "./invalid/arrays.ts"
import { functions } from "./invalid/functions.ts"
import { networks } from "./invalid/networks.ts"
import { training } from "./invalid/training.ts"
import type { Tables } from "./invalid/values.ts"

const { grad, jit, jvp, tensor, vjp, vmap } = a
/** As JavaScript sees it: most of these calls are red in an editor. */
const js = a as any
const { add, matmul, mul, sum } = js
type Fn = (...xs: any[]) => any

const x = tensor([1, 2, 3])
const m = tensor([
  [1, 2, 3],
  [4, 5, 6],
])
const d = tensor([1, 2, 3], { dtype: "f64" })
const i = tensor([1, 2, 3], { dtype: "i32" })
const b = tensor([true, false, true])

/** A tracer that outlived its transformation. */
const leak = (transform: (f: Fn) => Fn): any => {
  let kept: any
  transform(x => sum((kept = mul(x, 2))))(x)
  return kept
}
const alongItself =
  (f: Fn): Fn =>
  x =>
    jvp(f, [x], [x])
/** A tensor whose memory was given away. */
const gone = (): any => {
  const w = tensor([1, 2])
  jit((w: any) => mul(w, 2), { donate: [0] })(w)
  return w
}

const capturing = (w: any): unknown => jit((x: any) => add(w, x))(tensor([1, 2]))
/** The text of the argument, seen from inside of a transformed function. */
function seen(transform: (f: Fn) => Fn): string {
  let text = ""
  transform(x => {
    text = `${x}`
    return sum(x)
  })(x)
  return text
}

const leaked = ["after the transformation that made it has finished", "return it from the function"]
const traced = ["has no numbers yet", "inside jit, vmap or scan", "where", "scan", "tap(x, fn)", "return the value"]
const donated = ["f32[2] was donated", "use the returned tensor", "`donate`"]
const wantsTree = "arguments and results are tensors and numbers in plain arrays and objects; got"

const language: Tables = {
  "tracers that leak": [
    ["from grad", () => add(leak(grad), 1), a.LeakedTracerError, "f32[3]", ...leaked],
    ["from jit", () => add(leak(jit), 1), a.LeakedTracerError, "f32[3]", ...leaked],
    ["from vmap", () => add(leak(vmap), 1), a.LeakedTracerError, "f32[]", ...leaked],
    ["from jvp", () => add(leak(alongItself), 1), a.LeakedTracerError, "f32[3]", ...leaked],
    ["read from grad", () => leak(grad).toArray(), a.LeakedTracerError, ...leaked],
    ["read from jit", () => leak(jit).toArray(), a.LeakedTracerError, ...leaked],
    ["into another jit", () => jit((y: any) => mul(y, leak(grad)))(x), a.LeakedTracerError, ...leaked],
  ],
  "donated tensors": [
    ["item", () => gone().at(0).item(), a.DonatedTensorError, ...donated],
    ["toArray", () => gone().toArray(), a.DonatedTensorError, ...donated],
    ["operand", () => add(gone(), 1), a.DonatedTensorError, ...donated],
    ["argument of jit", () => jit((x: any) => x)(gone()), a.DonatedTensorError, ...donated],
    ["argument of grad", () => grad(sum)(gone()), a.DonatedTensorError, ...donated],
    ["captured by jit", () => capturing(gone()), a.DonatedTensorError, ...donated],
    ["donated again", () => jit((x: any) => mul(x, 2), { donate: [0] })(gone()), a.DonatedTensorError, ...donated],
    ["given twice", () => jit(add, { donate: [0] })(x, x), TypeError, "jit: leaf 0", "given a second time", "copy it first"],
  ],
  "reading inside jit": [
    ["item", () => jit((x: any) => x.at(0).item())(x), a.TracedReadError, "item", "f32[]", ...traced],
    ["toArray", () => jit((x: any) => x.toArray())(x), a.TracedReadError, "toArray", "f32[3]", ...traced],
    ["values", () => jit((x: any) => x.values())(x), a.TracedReadError, "values", ...traced],
    ["if with item", () => jit((x: any) => (x.at(0).item() > 0 ? x : mul(x, 2)))(x), a.TracedReadError, "item", ...traced],
    ["if with >", () => jit((x: any) => (x.at(0) > 0 ? x : mul(x, 2)))(x), a.TracedReadError, "item", ...traced],
    ["item in vmap", () => vmap((x: any) => x.item())(x), a.TracedReadError, "item", ...traced],
    ["in grad in jit", () => jit(grad((x: any) => mul(x, x.item())))(tensor(1)), a.TracedReadError, "item", ...traced],
  ],
  dtypes: [
    ["f32 and f64", () => add(x, d), a.DtypeError, "add: operands must have one dtype", "got f32[3], f64[3]", "cast(x, dtype)"],
    ["i32 and f32", () => mul(i, x), a.DtypeError, "mul: operands must have one dtype", "got i32[3], f32[3]", "cast(x, dtype)"],
    ["bool and f32", () => add(b, x), a.DtypeError, "add: operands must have one dtype", "got bool[3], f32[3]"],
    ["i32 and 1.5", () => add(i, 1.5), a.DtypeError, "add: the number 1.5 does not fit i32", "got i32[3]"],
    ["bool and 1", () => add(b, 1), a.DtypeError, "add: the number 1 does not fit bool"],
    ["bool and bool", () => add(b, b), a.DtypeError, "add: wants numbers", "got bool[3], bool[3]"],
    [
      "i32 and a number under jit",
      () => jit(add)(i, 2),
      a.DtypeError,
      "known only at run time does not fit i32",
      'tensor(n, { dtype: "i32" })',
    ],
    ["exp of i32", () => js.exp(i), a.DtypeError, "exp: wants floating point", "got i32[3]", "cast(x, dtype)"],
    ["mean of i32", () => js.mean(i), a.DtypeError, "mean: wants floating point", "got i32[3]"],
    ["root of i32", () => js.pow(i, 0.5), a.DtypeError, "pow: wants floating point for the exponent 0.5", "got i32[3]"],
    ["sum of bool", () => sum(b), a.DtypeError, "sum: wants numbers", "got bool[3]", "cast(x, dtype)"],
    ["condition", () => js.where(x, x, x), a.DtypeError, "where: the condition must be bool", "got f32[3]"],
    ["condition of JavaScript", () => js.where(true, x, x), TypeError, "where: the condition must be a bool tensor", "got boolean", "? :"],
    ["indices of f32", () => js.take(x, x), TypeError, "take: indices must be an i32 tensor", "got f32[3]"],
    ["labels of f32", () => js.oneHot(x, 3), a.DtypeError, "oneHot: labels are i32", "got f32[3]"],
    ["concat", () => js.concat([x, d]), a.DtypeError, "concat: operands must have one dtype", "got f32[3], f64[3]"],
    ["no dtype at all", () => js.cast(x, "int"), TypeError, 'cast: dtype must be "f32", "f64", "i32" or "bool"', 'got "int"'],
    ["dtype of NumPy", () => js.tensor([1], { dtype: "float32" }), TypeError, 'tensor: dtype must be "f32"', 'got "float32"'],
    ["dtype of zeros", () => js.zeros([3], { dtype: "f8" }), TypeError, 'zeros: dtype must be "f32"', 'got "f8"'],
  ],
  shapes: [
    [
      "do not align",
      () => add(x, tensor([1, 2])),
      a.ShapeError,
      "add: shapes do not align: axis -1 has lengths 3 and 2",
      "got f32[3], f32[2]",
    ],
    ["matmul", () => matmul(m, m), a.ShapeError, "matmul: wants [..., m, k] and [..., k, n]", "got f32[2,3], f32[2,3]"],
    ["matmul by a number", () => matmul(m, 2), TypeError, "matmul: wants two tensors", "multiply by numbers with mul"],
    ["axis", () => sum(x, { axis: 1 }), a.ShapeError, "sum: there is no axis 1", "got f32[3]"],
    ["axis twice", () => sum(m, { axis: [0, -2] }), a.ShapeError, "sum: axes [0,-2] name one axis twice"],
    ["max of nothing", () => js.max(tensor([])), a.ShapeError, "max: an extreme of no elements does not exist", "got f32[0]"],
    ["reshape", () => js.reshape(m, [4]), a.ShapeError, "reshape: shape [4] has 4 elements", "as many as the operand's", "got f32[2,3]"],
    ["-1 twice", () => js.reshape(m, [-1, -1]), a.ShapeError, "reshape: one length may be -1", "wanted [-1,-1]", "got f32[2,3]"],
    ["-1 does not divide", () => js.reshape(m, [4, -1]), a.ShapeError, "others divide", "wanted [4,-1]", "got f32[2,3]"],
    ["negative length", () => js.zeros([-1]), TypeError, "zeros: a shape is an array of whole numbers >= 0, such as [2, 3]", "got [-1]"],
    ["a number as shape", () => js.ones(3), TypeError, "ones: a shape is an array", "got 3"],
    ["transpose", () => js.transpose(m, [0, 0]), a.ShapeError, "transpose: axes [0,0] must name each axis of the operand once"],
    ["place", () => x.at(3), a.ShapeError, "there is no place 3 in axis 0", "got f32[3]"],
    ["at of a scalar", () => tensor(1).at(0), a.ShapeError, "at: a scalar has no entries", "item()"],
    ["too many parts", () => x.slice(0, 0), a.ShapeError, "slice: wants at most one part for each axis, got 2"],
    ["concat", () => js.concat([m, x]), a.ShapeError, "concat: operands must agree in all axes but 0", "got f32[2,3], f32[3]"],
    ["stack", () => js.stack([x, tensor([1])]), a.ShapeError, "stack: tensors must have one shape", "got f32[3], f32[1]"],
    ["item", () => x.item(), TypeError, "item: needs one element", "[3]", "toArray()"],
    ["iterating a scalar", () => [...tensor(1)], TypeError, "a scalar tensor cannot be iterated", "item()"],
    ["compared by JavaScript", () => (x as any) > 0, TypeError, "a tensor of shape [3] is not a number", "greater"],
  ],
  "data for tensor": [
    ["ragged", () => js.tensor([[1, 2], [3]]), TypeError, "tensor: nested arrays must have equal lengths", "[2,2]"],
    ["mixed depth", () => js.tensor([1, [3]]), TypeError, "tensor: nested arrays must have equal lengths"],
    ["text", () => js.tensor(["a"]), TypeError, "tensor: wants numbers, booleans, typed arrays or nested arrays", "got string"],
    ["a hole", () => js.tensor([1, undefined]), TypeError, "tensor: wants numbers", "got undefined"],
    ["null", () => js.tensor(null), TypeError, "tensor: wants numbers", "got null"],
    ["tensors", () => js.tensor([x, x]), TypeError, "got a tensor", "stack or concat"],
    ["shape does not fit", () => js.tensor([1, 2, 3], { shape: [2, 2] }), TypeError, "3 elements do not fill shape [2,2], which has 4"],
  ],
  operands: [
    ["an array", () => add([1, 2], x), TypeError, "add: wants tensors or numbers", "got an array", "tensor(...)"],
    ["text", () => add("1", x), TypeError, "add: wants tensors or numbers; got string"],
    ["nothing", () => add(x), TypeError, "add: wants tensors or numbers; got undefined"],
    [
      "no key",
      () => js.random.normal(1, [2]),
      TypeError,
      "random.normal: the first argument is a key, i32[2], such as random.key(1)",
      "got number",
    ],
    ["another tensor as key", () => js.random.uniform(x, [2]), TypeError, "random.uniform: the first argument is a key", "got f32[3]"],
    ["seed", () => a.random.key(-1), TypeError, "random.key: a seed is a whole number >= 0; got -1"],
    ["half a range", () => a.arange(2.5), TypeError, "arange: wants a whole number >= 0; got 2.5"],
  ],
  derivatives: [
    [
      "not a scalar",
      () => grad((x: any) => x)(x),
      TypeError,
      "must return a floating-point scalar; it returned f32[3]",
      "sum or mean",
      "hasAux",
      "jacrev",
    ],
    ["of nothing", () => js.grad(() => undefined)(x), TypeError, "must return a floating-point scalar; it returned nothing"],
    ["of bool", () => grad((x: any) => x.greater(1).at(0))(x), TypeError, "must return a floating-point scalar; it returned bool[]"],
    ["by i32", () => grad(sum)(i), TypeError, "argument 0 must hold floating-point tensors; it is i32[3]", "cast", "argnums"],
    ["by a tree with i32", () => grad((p: any) => sum(p.w))({ w: x, n: [i] }), TypeError, "n.0 is i32[3]", "argnums"],
    [
      "by an argument that is not there",
      () => grad(sum, { argnums: 1 })(x),
      TypeError,
      "there is no argument 1 (counted from 0)",
      "called with 1",
    ],
    [
      "operators of JavaScript",
      () => grad((x: any) => x * 2)(tensor(3)),
      TypeError,
      "the function returned the plain number 6",
      "x.mul(2)",
    ],
    ["hessian of a vector", () => a.hessian((x: any) => x)(x), TypeError, "must return a floating-point scalar; it returned f32[3]"],
    ["tangent", () => jvp((x: any) => x, [x], [tensor([1])]), TypeError, "jvp: tangents must be like f32[3]; got f32[1]"],
    ["tangent of another dtype", () => jvp((x: any) => x, [x], [d]), TypeError, "jvp: tangents must be like f32[3]; got f64[3]"],
    [
      "a number as tangent of a vector",
      () => jvp((x: any) => x, [x], [1] as any),
      TypeError,
      "jvp: tangents must be like f32[3]; got f64[]",
    ],
    ["cotangent", () => vjp((x: any) => x, x)[1](tensor(1)), TypeError, "vjp: the cotangent must be like f32[3]; got f32[]"],
    ["jacobian of a tree", () => a.jacrev((x: any) => ({ x }) as any)(x), TypeError, "jacrev: wants a floating-point tensor", "got object"],
  ],
  "functions and trees": [
    ["async under grad", () => grad(async (x: any) => sum(x))(x), TypeError, wantsTree, "a Promise", "must not be async"],
    ["async under jit", () => jit(async (x: any) => sum(x))(x), TypeError, wantsTree, "a Promise", "must not be async"],
    ["text in an argument", () => js.jit((x: any) => x)({ kind: "relu", x }), TypeError, wantsTree, "a string", "static"],
    ["a flag in an argument", () => js.jit((x: any) => x)(x, true), TypeError, wantsTree, "a boolean", "static"],
    ["a typed array", () => js.jit((x: any) => x)(new Float32Array(3)), TypeError, wantsTree, "a Float32Array", "tensor(...)"],
    ["a Map in a result", () => js.vjp(() => [new Map()], x), TypeError, wantsTree, "a Map at 0"],
    ["trees of two kinds", () => js.treeMap(add, [x], [x, x]), TypeError, "treeMap: the trees must have one structure", "1 leaves", "2"],
  ],
  vmap: [
    [
      "no such axis",
      () => vmap((x: any) => x, { inAxes: 1 })(x),
      TypeError,
      "vmap: there is no axis 1 in an argument of shape [3]",
      "null",
    ],
    ["a number", () => js.vmap((x: any) => x)(1), TypeError, "there is no axis 0 in an argument of shape []", "null"],
    ["two lengths", () => vmap(add)(x, tensor([1, 2])), TypeError, "vmap: the mapped axes must have one length; they have 3, 2"],
    [
      "too few axes",
      () => vmap(add, { inAxes: [0] })(x, x),
      TypeError,
      "inAxes must name an axis or null for each argument",
      "1 entries for 2",
    ],
    ["nothing mapped", () => vmap((x: any) => x, { inAxes: null })(x), TypeError, "vmap: no argument has an axis to map over", "inAxes"],
    ["no such axis in the result", () => vmap((x: any) => x, { outAxis: 2 })(x), TypeError, "vmap: outAxis 2", "1 axes"],
  ],
  scan: [
    [
      "the carry changes its shape",
      () => js.scan((c: any, y: any) => [js.concat([c, c]), y], x, x),
      a.ShapeError,
      "scan: the carry must stay f32[3] in every turn; make init of the shape that f returns; got f32[6]",
    ],
    [
      "the carry changes its dtype",
      () => js.scan((c: any, y: any) => [{ n: js.cast(c.n, "f64") }, y], { n: x }, x),
      a.DtypeError,
      "scan: the carry n must stay f32[3] in every turn; got f64[3]",
      "cast(x, dtype)",
    ],
    [
      "an integer carry gets a number",
      () => js.scan((_: any, y: any) => [0, y], i.at(0), x),
      a.DtypeError,
      "scan: the carry must stay i32[] in every turn; got f64[]",
    ],
    [
      "the carry changes its structure",
      () => js.scan((c: any, y: any) => [[c.h], y], { h: x }, x),
      TypeError,
      'scan: f must return a carry with the structure of init, {"h":f32[3]}; it returned [f32[3]]',
    ],
    [
      "xs of different lengths",
      () => js.scan((c: any, y: any) => [c, y.a], x, { a: m, b: x }),
      a.ShapeError,
      "scan: xs must have one length along axis 0; got f32[2,3], f32[3]",
    ],
    [
      "xs of another length than said",
      () => js.scan((c: any, y: any) => [c, y], x, x, { length: 2 }),
      a.ShapeError,
      "scan: xs must have length 2 along axis 0; got f32[3]",
    ],
    [
      "neither xs nor a length",
      () => js.scan((c: any) => [c, c], x, null),
      TypeError,
      "scan: without xs the number of turns must be given, as in scan(f, init, null, { length: 10 })",
    ],
    ["half a turn", () => js.scan((c: any) => [c, c], x, null, { length: 0.5 }), TypeError, "scan: length is a whole number >= 0; got 0.5"],
    [
      "a scalar as xs",
      () => js.scan((c: any, y: any) => [c, y], x, [x, tensor(1)]),
      a.ShapeError,
      "scan: xs are read in slices along axis 0, which a scalar does not have; let f take it from outside; got f32[]",
    ],
    ["a number as xs", () => js.scan((c: any, y: any) => [c, y], x, 3), a.ShapeError, "a scalar does not have", "from outside"],
    ["no pair", () => js.scan((c: any) => c, x, x), TypeError, "scan: f must return [carry, y]; it returned f32[3]", "[carry, null]"],
    ["three results", () => js.scan((c: any) => [c, c, c], x, x), TypeError, "scan: f must return [carry, y]; it returned an array of 3"],
    ["nothing", () => js.scan(() => undefined, x, x), TypeError, "scan: f must return [carry, y]; it returned undefined"],
    [
      "async",
      () => js.scan(async (c: any) => [c, c], x, x),
      TypeError,
      "scan: f must return [carry, y]; it returned a Promise",
      "must not be async",
    ],
    ["not a function", () => js.scan(x, x, x), TypeError, "scan: the first argument is a function of carry and x; got f32[3]"],
    ["reading inside", () => js.scan((c: any, y: any) => [c.item() > 0 ? c : y, y], x.at(0), x), a.TracedReadError, "item", ...traced],
  ],
}

const thrown = async (call: () => unknown): Promise<unknown> => {
  try {
    await call()
  } catch (e) {
    return e
  }
  throw new Error("nothing was thrown")
}
const tables = Object.entries({ language, arrays, functions, networks, training }).flatMap(([area, of]) =>
  Object.entries(of).map(([name, rows]) => [`${area}: ${name}`, rows] as const),
)
describe.each(tables)("%s", (_name, rows) => {
  test.each(rows.map(row => [row[0], row] as const))("%s", async (_row, [, call, type, ...parts]) => {
    const error = (await thrown(call)) as Error
    expect(error).toBeInstanceOf(type)
    expect(error.name).toBe(type.name)
    for (const part of parts) expect(error.message).toContain(part)
  })
})
test("there are at least 200 invalid calls", () => {
  const n = tables.reduce((n, [, rows]) => n + rows.length, 0)
  console.log(`${n} invalid calls and their messages`)
  expect(n).toBeGreaterThanOrEqual(200)
})

describe("what does not throw", () => {
  const cases: readonly [string, () => unknown, unknown][] = [
    ["text of a donated tensor", () => String(gone()), "Tensor f32[2] (donated)"],
    ["text inside jit", () => seen(jit), "Traced f32[3]"],
    ["text inside grad", () => seen(grad), "Tensor f32[3] [1, 2, 3]"],
    ["joined to text", () => "x is " + x, "x is Tensor f32[3] [1, 2, 3]"],
    ["JSON", () => JSON.stringify({ x }), '{"x":"Tensor f32[3] [1, 2, 3]"}'],
    ["a scalar compared by JavaScript", () => (x.at(1) as any) > 1.5, true],
    ["iterating inside jit", () => jit((x: any) => [...x])(x).map((t: any) => t.item()), [1, 2, 3]],
    ["after an error inside jit", async () => [await thrown(() => jit((x: any) => x.item())(x)), sum(x).item()][1], 6],
  ]
  test.each(cases)("%s", async (_name, run, wanted) => expect(await run()).toEqual(wanted))
})
