// What the editor says: errors under wrong code, and the types shown when hovering over right code. One program for all cases.
import { fileURLToPath } from "node:url"
import ts from "typescript"
import { beforeAll, describe, expect, it } from "vitest"

const root = fileURLToPath(new URL("..", import.meta.url))
const file = `${root}tests/types.virtual.ts`

const head = `
import { random, scan, type Tensor, tensor, valueAndGrad } from "../src/js.ts"
import { crossEntropy, huber, squaredError, tripletMargin } from "../src/losses.ts"
import { batchNorm, dense, dropout, embedding, flatten, fromConfig, gelu, globalAveragePool, gru, type Layer, layerNorm, logistic, lstm, type Model, multiHeadAttention, parallel, prelu, relu, reshape, residual, sequential, softmax, tanh, transformerBlock } from "../src/nn.ts"
import { adam, chain, momentum, optimizer, scaleByAdam, sgd } from "../src/optim.ts"
declare const n: number
declare const x: Tensor
declare const key: Tensor
declare const some: Layer[]
const model = sequential(dense(784, 128), relu(), dense(128, 10))
const { params, state } = model.init(key, [784])
`
const stack = (last: string): string =>
  `sequential(${Array.from({ length: 30 }, (_, i) => `dense(${i + 1}, ${i + 2}), relu()`).join(", ")}, ${last})`

/** Code, and parts of the message under it. */
const wrong: [code: string, ...says: string[]][] = [
  [
    "sequential(dense(784, 128), relu(), dense(64, 10))",
    `Argument of type 'Dense<64, 10>' is not assignable to parameter of type '"dense expects 64 inputs, gets 128"'`,
  ],
  ["sequential(dense(2, 3), tanh(), dropout(0.1), gelu(), dense(4, 1))", "dense expects 4 inputs, gets 3"],
  ["sequential(dense(2, 3), dense(4, 5), dense(6, 7))", "dense expects 4 inputs, gets 3"],
  ["sequential(sequential(dense(4, 3)), sequential(dense(2, 1)))", "sequential expects 2 inputs, gets 3"],
  ["sequential(model, relu(), dense(128, 1))", "dense expects 128 inputs, gets 10"],
  ["sequential(relu(), model, model)", "sequential expects 784 inputs, gets 10"],
  ["sequential(dense(2, 3), sequential(relu(), dense(3, 5), dense(6, 7)))", "dense expects 6 inputs, gets 5"],
  ["sequential(flatten(), dense(784, 10), dense(20, 1))", "dense expects 20 inputs, gets 10"],
  ["sequential(dense(n, 3), dense(4, n))", "dense expects 4 inputs, gets 3"],
  [stack("dense(30, 1)"), "dense expects 30 inputs, gets 31"],
  ["sequential(embedding(100, 16), lstm(8, 32), dense(32, 2))", "lstm expects 8 inputs, gets 16"],
  ["sequential(embedding(100, 16), lstm(16, 32), dense(16, 2))", "dense expects 16 inputs, gets 32"],
  ["sequential(dense(4, 8), layerNorm(4))", "layerNorm expects 4 inputs, gets 8"],
  ["sequential(dense(4, 8), batchNorm(8), relu(), prelu(4))", "prelu expects 4 inputs, gets 8"],
  ["sequential(gru(4, 8), multiHeadAttention(4, 2))", "multiHeadAttention expects 4 inputs, gets 8"],
  ["sequential(embedding(9, 8), transformerBlock(16, 2))", "transformerBlock expects 16 inputs, gets 8"],
  ["sequential(dense(4, 8), residual(dense(4, 4)))", "residual expects 4 inputs, gets 8"],
  ["residual(dense(8, 4), dense(8, 8))", "dense expects 8 inputs, gets 4"],
  ["residual(dense(8, 4))", "residual must keep its width 8, ends with 4"],
  ["sequential(reshape(3, 4), lstm(3, 2))", "lstm expects 3 inputs, gets 4"],
  ["parallel()", "Expected at least 1 arguments, but got 0"],
  ["lstm(4, 8, { returnSequence: true })", "'returnSequence' does not exist in type 'RecurrentOptions'"],
  ['transformerBlock(8, 2, { activation: "selu" })', `'"selu"' is not assignable`, "swiglu"],
  ["crossEntropy(x, x, { labelSmoothing: true })", "'boolean' is not assignable to type 'number'"],
  ["huber(x, x, { beta: 1 })", "'beta' does not exist in type 'HuberOptions'"],
  ["tripletMargin(x, x)", "Expected 3-4 arguments, but got 2"],
  ['dense("a", 3)', "'string' is not assignable to parameter of type 'number'"],
  ["dense(3)", "Expected 2-3 arguments, but got 1"],
  ['dense(2, 3, { init: "xavier" })', `'"xavier"' is not assignable`, "glorot"],
  ['dense(2, 3, { dtype: "i32" })', `'"i32"' is not assignable to type 'FloatDtype`],
  ["dense(2, 3, { units: 4 })", "'units' does not exist in type 'DenseOptions'"],
  ["relu(3)", "Expected 0 arguments, but got 1"],
  ["dropout()", "Expected 1 arguments, but got 0"],
  ['dropout("0.5")', "'string' is not assignable to parameter of type 'number'"],
  ["sequential(relu)", "Argument of type '() => Layer<"],
  ["sequential([dense(2, 3), relu()])", "is not assignable to parameter of type"],
  ["crossEntropy(3, x)", "'number' is not assignable to parameter of type 'Tensor'"],
  ["crossEntropy(x, [1, 2])", "'number[]' is not assignable to parameter of type 'Tensor'"],
  ['squaredError(x, x, { reduction: "avg" })', `'"avg"' is not assignable to type 'Reduction`],
  ['sgd("fast")', "'string' is not assignable to parameter of type 'LearningRate'"],
  ["sgd(step => 0.1)", "is not assignable to parameter of type 'LearningRate'"],
  ["adam(1e-3, { beta1: 0.9 })", "'beta1' does not exist in type 'AdamOptions'"],
  ["optimizer(scaleByAdam())", "is not assignable to parameter of type 'OptimizerConfig'"],
  ["model.init(1, [784])", "'number' is not assignable to parameter of type 'Tensor'"],
  ["model.apply(params, x)", "Expected 3-4 arguments, but got 2"],
  ["((m: Model<784, 10>) => m)(sequential(dense(784, 9)))", "Model<784, 9>", "Model<784, 10>"],
  ["scan((c: Tensor, y: Tensor) => c.add(y), x, x)", "'Tensor' is not assignable to type 'readonly [Tensor, "],
  ["scan((c: Tensor, y: Tensor) => [{ c }, y], x, x)", "Type '{ c: Tensor; }' is missing the following properties from type 'Tensor'"],
  ["((o: 5) => o)(model.out)", "'10' is not assignable to parameter of type '5'"],
]

/** Code, and its type. */
const right: [code: string, type: string][] = [
  ["sequential(dense(784, 128), relu(), dropout(0.1), dense(128, 10))", "Model<784, 10>"],
  ["model.out", "10"],
  ["dense(784, 128)", "Dense<784, 128>"],
  ["relu()", 'Layer<"any", "same">'],
  ["sequential(logistic(), softmax())", 'Model<"any", "same">'],
  ["sequential()", 'Model<"any", "same">'],
  ["sequential(relu(), sequential(tanh(), dense(3, 4)), sequential(gelu()))", "Model<3, 4>"],
  ["sequential(dense(n, 32), relu(), dense(32, 10))", "Model<number, 10>"],
  ["sequential(dense(2, n), dense(7, n))", "Model<2, number>"],
  ["sequential(flatten(), dense(784, 10))", 'Model<"any", 10>'],
  ["sequential(...some)", "Model<InWidth, OutWidth>"],
  ["sequential(dense(2, 3), ...some)", "Model<InWidth, OutWidth>"],
  ["sequential(fromConfig({}), dense(2, 3))", 'Model<number | "any", 3>'],
  ['sequential(dense(2, 3), { ...relu(), kind: "mine" }, dense(3, 1))', "Model<2, 1>"],
  [stack("dense(31, 5)"), "Model<1, 5>"],
  ["model.apply(params, state, x, { key, training: true })", "[y: Tensor, state: Params]"],
  ["crossEntropy(x, x)", "Tensor"],
  ["scan((c: { h: Tensor }, y: Tensor) => [{ h: c.h.add(y) }, [y, c.h]], { h: x }, x)", "[{ h: Tensor; }, Tensor[]]"],
  ["scan(c => [c.mul(2), null], x, null, { length: 3 })", "[Tensor, null]"],
  ["crossEntropy", "Loss<CrossEntropyOptions>"],
  ["squaredError", "Loss<LossOptions>"],
  ["lstm(16, 32)", 'LayerOf<"lstm", 16, 32>'],
  ["embedding(100, 16)", 'LayerOf<"embedding", "any", 16>'],
  ["sequential(embedding(100, 16), lstm(16, 32), dense(32, 2))", 'Model<"any", 2>'],
  ["sequential(dense(4, 8), batchNorm(8), relu(), dense(8, 2))", "Model<4, 2>"],
  ["sequential(embedding(9, 8), transformerBlock(8, 2), layerNorm(8), globalAveragePool(), dense(8, 9))", 'Model<"any", 9>'],
  ["sequential(residual(layerNorm(8), dense(8, 32), gelu(), dense(32, 8)), dense(8, 2))", "Model<8, 2>"],
  ["sequential(dense(2, 8), residual(relu()), dense(8, 1))", "Model<2, 1>"],
  ["sequential(parallel(lstm(4, 8), lstm(4, 8, { reverse: true })), dense(16, 2))", "Model<4, 2>"],
  ["sequential(reshape(28, 28), lstm(28, 10))", 'Model<"any", 10>'],
  ["layerNorm(n)", 'LayerOf<"layerNorm", number, number>'],
  ["adam()", "Optimizer"],
  ["chain(scaleByAdam())", "Transformation"],
  ["sgd(step => step.mul(2))", "Optimizer"],
  ["momentum(0.1).update({ w: x }, {}, { w: x })[0]", "{ w: Tensor; }"],
]

let service: ts.LanguageService
let text = ""
const lines: number[] = []
let seconds = 0

beforeAll(() => {
  const config = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root)
  text = head
  for (const [code] of [...wrong, ...right]) {
    lines.push(text.split("\n").length - 1)
    text += `export const v${lines.length - 1} = ${code}\n`
  }
  const read = (name: string): string | undefined => (name === file ? text : ts.sys.readFile(name))
  service = ts.createLanguageService({
    getCompilationSettings: () => options,
    getScriptFileNames: () => [file],
    getScriptVersion: () => "0",
    getScriptSnapshot: name => {
      const content = read(name)
      return content === undefined ? undefined : ts.ScriptSnapshot.fromString(content)
    },
    getCurrentDirectory: () => root,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: name => name === file || ts.sys.fileExists(name),
    readFile: read,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
  })
  const before = performance.now()
  service.getSemanticDiagnostics(file)
  seconds = (performance.now() - before) / 1000
})

const at = (i: number): number => ts.getPositionOfLineAndCharacter(service.getProgram()!.getSourceFile(file)!, lines[i]!, 0)
function errorsOf(i: number): ts.Diagnostic[] {
  const [from, to] = [at(i), text.indexOf("\n", at(i))]
  return service.getSemanticDiagnostics(file).filter(d => d.start! >= from && d.start! < to)
}
const messages = (i: number): string[] => errorsOf(i).map(d => ts.flattenDiagnosticMessageText(d.messageText, "\n"))
const short = (code: string): string => (code.length > 90 ? `${code.slice(0, 60)} ... ${code.slice(-20)}` : code)

describe("wrong code", () => {
  it.each(wrong.map(([code, ...says], i) => [short(code), i, says] as const))("%s", (_code, i, says) => {
    const found = messages(i)
    expect(found.length).toBe(1)
    for (const part of says) expect(found[0]).toContain(part)
  })
  it("is underlined where the layer is", () => {
    const { start, length } = errorsOf(0)[0]!
    expect(text.slice(start!, start! + length!)).toBe("dense(64, 10)")
  })
})

describe("right code", () => {
  it.each(right.map(([code, type], i) => [short(code), i + wrong.length, type] as const))("%s", (_code, i, type) => {
    expect(messages(i)).toEqual([])
    const info = service.getQuickInfoAtPosition(file, at(i) + "export const ".length)!
    expect(ts.displayPartsToString(info.displayParts).replace(/\s+/g, " ")).toBe(`const v${i}: ${type}`)
  })
})

it("the whole file is checked quickly, long stacks included", () => {
  expect(service.getSyntacticDiagnostics(file)).toEqual([])
  expect(seconds).toBeLessThan(10)
})
