// Is it a network with an example for it? The first thing that is wrong is named with its place.
import { closest, count } from "../data/names.ts"
import { isObject } from "../io/json.ts"
import { ProblemError } from "./errors.ts"
import { type ActivationName, activationNames, type DenseLayer, type LossName, lossNames, lossOf, type Network } from "./network.ts"

/** A network, one example and a learning rate: what `examples/worked.json` holds. */
export interface Problem {
  readonly network: Network
  readonly x: readonly number[]
  /** [out] */
  readonly target: readonly number[]
  readonly learningRate: number
}

export const DEFAULT_RATE = 0.01

const activationAliases: Readonly<Record<string, ActivationName>> = { sigmoid: "logistic", identity: "linear", silu: "swish" }
const lossAliases: Readonly<Record<string, readonly [LossName, "sum" | "mean"]>> = {
  "mean squared error": ["squared error", "mean"],
  "half sum of squares": ["half squared error", "sum"],
  "sum of squares": ["squared error", "sum"],
  "categorical cross-entropy": ["cross-entropy", "sum"],
}

/**
 * Reads `{ x, target, layers: [{ w, b, activation }], loss, reduction, learningRate }`. Fields that begin with $ are comments.
 *
 * Weights are `w[input][unit]`. `target` is a list, a number for one output, or a class number for several. `b` may be left out.
 * Throws ProblemError that names the first value which is not as it should be.
 *
 * @example
 * const problem = readProblem({ x: [1], target: 0, layers: [{ w: [[2]], b: [0], activation: "logistic" }], loss: "half squared error" })
 * problem.network.layers.length  // 1
 */
export function readProblem(value: unknown): Problem {
  const fields = object(value, "the problem", ["x", "target", "layers", "loss", "reduction", "learningRate"])
  const x = numbers(fields.x, "x")
  need(x.length > 0, "x", "a list of at least one number", fields.x)
  need(Array.isArray(fields.layers) && fields.layers.length > 0, "layers", "a list of at least one layer", fields.layers)
  let width = x.length
  const layers = (fields.layers as unknown[]).map((layer, l) => {
    const read = readLayer(layer, `layers[${l}]`, width, l === 0 ? "x has" : `layers[${l - 1}] has`)
    width = read.w[0]!.length
    return read
  })
  const [loss, usual] = lossAliases[fields.loss as string] ?? [oneOf(fields.loss, "loss", lossNames), "sum" as const]
  const asked = fields.reduction === undefined ? usual : oneOf(fields.reduction, "reduction", ["sum", "mean"] as const)
  const reduction = loss === "cross-entropy" ? "sum" : asked // it is one error for all classes
  const last = layers.at(-1)!.activation
  const { joined } = lossOf(loss)
  if (joined && last !== joined && last !== "linear")
    throw new ProblemError(
      `layers[${layers.length - 1}].activation should be "${joined}", or "linear" for outputs that are logits, ` +
        `because the loss is "${loss}"; got "${last}"`,
    )
  const learningRate = fields.learningRate ?? DEFAULT_RATE
  need(isNumber(learningRate) && learningRate > 0, "learningRate", "a positive number", learningRate)
  return { network: { layers, loss, reduction }, x, target: readTarget(fields.target, width, loss), learningRate: learningRate as number }
}

function readLayer(value: unknown, path: string, inputs: number, before: string): DenseLayer {
  const { w, b, activation, path: name } = object(value, path, ["w", "b", "activation", "path"])
  need(Array.isArray(w) && w.length > 0, `${path}.w`, "a list of rows, one for each input, each with one weight for each unit", w)
  const rows = (w as unknown[]).map((row, i) => numbers(row, `${path}.w[${i}]`))
  const units = rows[0]!.length
  need(units > 0, `${path}.w[0]`, "a list of at least one weight", rows[0])
  if (rows.length !== inputs)
    throw new ProblemError(
      `${path}.w should have ${count(inputs, "row")}, because ${before} ${count(inputs, "number")} to give; got ${rows.length}`,
    )
  rows.forEach((row, i) => {
    if (row.length !== units)
      throw new ProblemError(`${path}.w[${i}] should have ${count(units, "weight")} like ${path}.w[0]; got ${row.length}`)
  })
  const bias = b === undefined ? undefined : numbers(b, `${path}.b`)
  if (bias && bias.length !== units)
    throw new ProblemError(`${path}.b should have ${count(units, "number")}, one for each unit of ${path}.w; got ${bias.length}`)
  need(name === undefined || typeof name === "string", `${path}.path`, "text", name)
  return {
    w: rows,
    ...(bias && { b: bias }),
    activation: activationAliases[activation as string] ?? oneOf(activation, `${path}.activation`, activationNames),
    ...(name !== undefined && { path: name as string }),
  }
}

function readTarget(value: unknown, outputs: number, loss: LossName): number[] {
  if (isNumber(value) && outputs > 1) {
    need(Number.isInteger(value) && value >= 0 && value < outputs, "target", `a class from 0 to ${outputs - 1}, or a list`, value)
    return Array.from({ length: outputs }, (_, k) => Number(k === value))
  }
  need(isNumber(value) || Array.isArray(value), "target", outputs > 1 ? "a list of numbers, or the number of a class" : "a number", value)
  const target = isNumber(value) ? [value] : numbers(value, "target")
  if (target.length !== outputs)
    throw new ProblemError(`target should have ${count(outputs, "number")}, one for each output; got ${target.length}`)
  if (!lossOf(loss).joined) return target
  target.forEach((t, k) => need(t >= 0 && t <= 1, `target[${k}]`, `a number from 0 to 1, because the loss is "${loss}"`, t))
  const total = target.reduce((a, b) => a + b, 0)
  if (loss === "cross-entropy" && Math.abs(total - 1) > 1e-9)
    throw new ProblemError(`target should add up to 1, because the loss is "cross-entropy"; got ${total}`)
  return target
}

const isNumber = (x: unknown): x is number => typeof x === "number" && Number.isFinite(x)

function numbers(value: unknown, path: string): number[] {
  need(Array.isArray(value), path, "a list of numbers", value)
  return (value as unknown[]).map((x, i) => {
    need(isNumber(x), `${path}[${i}]`, "a finite number", x)
    return x as number
  })
}

/** An object with known fields only, so that a misspelt one is not silently left out. */
function object(value: unknown, path: string, known: readonly string[]): Record<string, unknown> {
  need(isObject(value), path, "an object", value)
  for (const key of Object.keys(value as object)) {
    if (known.includes(key) || key.startsWith("$")) continue
    const meant = closest(key, known)
    throw new ProblemError(
      `${path} has the unknown field "${key}"; ${meant ? `did you mean "${meant}"?` : `known are ${known.join(", ")}`}`,
    )
  }
  return value as Record<string, unknown>
}

function oneOf<T extends string>(value: unknown, path: string, names: readonly T[]): T {
  if (names.includes(value as T)) return value as T
  const meant = typeof value === "string" ? closest(value, names) : undefined
  throw new ProblemError(
    `${path} should be one of ${names.map(name => `"${name}"`).join(", ")}; got ${show(value)}${meant ? `; did you mean "${meant}"?` : ""}`,
  )
}

function need(holds: boolean, path: string, wanted: string, got: unknown): void {
  if (!holds) throw new ProblemError(`${path} should be ${wanted}; got ${show(got)}`)
}
const show = (value: unknown): string => {
  if (typeof value === "number") return `${value}`
  const text = JSON.stringify(value) ?? "nothing"
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}
