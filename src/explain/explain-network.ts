// A gradient taken apart.
import { closest } from "../data/names.ts"
import { Board, type Place } from "./board.ts"
import { centralDifference } from "./digits.ts"
import { ProblemError } from "./errors.ts"
import type { LayerGradient } from "./evaluate.ts"
import { say } from "./messages/index.ts"
import { pathOf } from "./names.ts"
import type { Example, Network } from "./network.ts"
import type { Change, Factor, NetworkExplanation, Reading, WeightExplanation } from "./network-explanation.ts"
import { DEFAULT_RATE, readProblem } from "./problem.ts"

export interface NetworkOptions {
  /**
   * What to explain, such as `["layers.0.w[3,1]", "layers.0.b[1]"]`. Default: everything in a network of at most 12 parameters, else
   * the weight with the largest slope.
   */
  readonly weights?: readonly string[]
  /** The step of the update. Default: 0.01. */
  readonly learningRate?: number
}

/** A network of so many parameters is explained as a whole. */
const TINY = 12

/**
 * The exact chain of derivatives from the error of one example to weights of a dense network:
 *
 *     dE/dw_ij = dE/dy_j · dy_j/ds_j · ds_j/dw_ij,    dE/dy_j = sum_k w_jk dE/ds_k in a hidden layer.
 *
 * Each factor comes with its symbol, its number and its measurement by central differences; the product is held against the gradient
 * by adjoint's own reverse mode, and the whole against differences. All in f64.
 *
 * Throws ProblemError that names what is wrong with the network, the example or a weight's path.
 * Rumelhart, Hinton and Williams, Learning representations by back-propagating errors (1986).
 *
 * @example
 * const network = { layers: [{ w: [[0.5], [0.2]], b: [1.83], activation: "logistic" }], loss: "half squared error" } as const
 * const explanation = explainNetwork(network, { x: [0.1, 0.3], target: 0.03 })
 * explanation.weights[0]!.product  // 0.00927609255818386
 * console.log(renderText(explanation))
 */
export function explainNetwork(
  network: Network,
  example: Example,
  { weights, learningRate = DEFAULT_RATE }: NetworkOptions = {},
): NetworkExplanation {
  const { layers, loss, reduction } = network
  const problem = readProblem({ layers, loss, ...(reduction && { reduction }), x: example.x, target: example.target, learningRate })
  const board = new Board(problem.network, problem.x, problem.target)
  if (!Number.isFinite(board.error))
    throw new ProblemError(`the error of this example is ${board.error}, which has no slope; make its inputs or the weights smaller`)
  const gradients = board.evaluation.gradient(problem.x)
  const all = placesOf(problem.network)
  const slopeAt = (place: Place): number => gradientAt(gradients, place)
  const chosen = weights?.length ? weights.map(path => find(board, all, path)) : all.length <= TINY ? all : [steepest(all, slopeAt)]

  const units = unitsOf(board, chosen)
  const isOwn = (l: number, j: number): boolean => chosen.some(p => p.l === l && p.j === j)
  const deltas = units
    .map((shown, l) => shown.map(j => board.delta(l, j, isOwn(l, j))))
    .reverse()
    .flat()
  const sizes = all.map(place => Math.abs(slopeAt(place)))
  const explained = chosen.map(place => explainWeight(board, place, slopeAt(place), sizes, problem.learningRate))
  const squares = sizes.reduce((total, g) => total + g * g, 0)
  const after = stepped(problem.network, gradients, problem.learningRate, problem.x, problem.target)
  return {
    network: {
      sizes: [problem.x.length, ...board.values.map(v => v.s.length)],
      activations: problem.network.layers.map(layer => layer.activation),
      loss: problem.network.loss,
      reduction: problem.network.reduction!,
      parameters: all.length,
    },
    x: problem.x,
    target: problem.target,
    learningRate: problem.learningRate,
    forward: units.flatMap((shown, l) => (shown.length ? [board.forward(l, shown, isOwn)] : [])),
    error: board.errorQuantity(),
    deltas,
    weights: explained,
    update: {
      before: board.error,
      after,
      predicted: -problem.learningRate * squares,
      actual: after - board.error,
    },
    agrees: agree(
      board.error,
      deltas.flatMap(d => [d, ...d.factors]),
      explained,
    ),
  }
}

/** All parameters, weights of a layer before its biases. */
function placesOf({ layers }: Network): Place[] {
  return layers.flatMap(({ w, b }, l) => [
    ...w.flatMap((row, i) => row.map((_, j) => ({ l, i, j }))),
    ...(b ?? []).map((_, j) => ({ l, i: undefined, j })),
  ])
}
const gradientAt = (gradients: readonly LayerGradient[], { l, i, j }: Place): number =>
  i === undefined ? gradients[l]!.b![j]! : gradients[l]!.w[i]![j]!

/** The weight with the largest slope; biases are left out, whose last factor is always 1. */
function steepest(all: readonly Place[], slopeAt: (place: Place) => number): Place {
  const weights = all.filter(({ i }) => i !== undefined)
  return weights.reduce((best, place) => (Math.abs(slopeAt(place)) > Math.abs(slopeAt(best)) ? place : best))
}

/** `layers.0.w[3,1]` as a place. */
function find(board: Board, all: readonly Place[], path: string): Place {
  const wanted = path.replaceAll(" ", "")
  const place = all.find(p => board.path(p) === wanted)
  if (place) return place
  const known = board.network.layers.flatMap(({ w, b }, l) => {
    const name = pathOf(board.network, l)
    return [
      `${name}.w[0,0] to ${name}.w[${w.length - 1},${w[0]!.length - 1}]`,
      ...(b ? [`${name}.b[0] to ${name}.b[${b.length - 1}]`] : []),
    ]
  })
  const meant =
    all.length <= 1000
      ? closest(
          wanted,
          all.map(p => board.path(p)),
        )
      : undefined
  throw new ProblemError(
    `there is no weight ${JSON.stringify(path)}; there are ${known.join(", ")}${meant ? `. Did you mean ${meant}?` : ""}`,
  )
}

/** For each layer the units whose derivatives are shown: those of the chosen weights, and the heaviest ones on their way to the error. */
function unitsOf(board: Board, chosen: readonly Place[]): number[][] {
  const units: number[][] = board.network.layers.map(() => [])
  for (const l of units.keys()) {
    const own = chosen.filter(p => p.l === l).map(p => p.j)
    const before = units[l - 1] ?? []
    const reached = before.length ? board.heaviest(l - 1, before) : []
    units[l] = [...new Set([...own, ...reached])].sort((a, b) => a - b)
  }
  return units
}

function explainWeight(board: Board, place: Place, gradient: number, sizes: readonly number[], rate: number): WeightExplanation {
  const { l, j } = place
  const factors: Factor[] = [...board.delta(l, j, true).factors, board.inputFactor(place)]
  const product = factors.reduce((p, f) => p * f.value, 1)
  const before = board.parameter(place)
  const finiteDifference = centralDifference(values => board.errorsWith(place, values), before)
  const after = before - rate * gradient
  const [error, stepError, plusOneError] = board.errorsWith(place, [before, after, before + 1]) as [number, number, number]
  const change = (by: number, to: number): Change => ({ change: by, predicted: gradient * by, actual: to - error })
  const symbol = board.symbol(place)
  return {
    path: board.path(place),
    symbol,
    value: before,
    delta: board.deltaSymbol(l, j),
    factors,
    product,
    gradient,
    finiteDifference,
    difference: Math.max(Math.abs(product - gradient), Math.abs(product - finiteDifference)),
    reading: read(gradient, factors, sizes, symbol),
    update: { before, after },
    step: change(after - before, stepError),
    plusOne: change(1, plusOneError),
  }
}

function read(gradient: number, factors: readonly Factor[], sizes: readonly number[], symbol: string): Reading {
  const size = Math.abs(gradient)
  const largest = sizes.reduce((a, b) => Math.max(a, b), 0)
  const blocking = factors.find(f => f.value === 0)
  const facts = {
    ...(gradient > 0
      ? ({ sign: "positive", step: "lower" } as const)
      : gradient < 0
        ? ({ sign: "negative", step: "raise" } as const)
        : ({ sign: "zero", step: "keep" } as const)),
    share: largest === 0 ? 0 : size / largest,
    rank: 1 + sizes.filter(s => s > size).length,
    ...(gradient === 0 && blocking && { blockedBy: blocking.symbol }),
  }
  return { ...facts, sentence: say.network.sentence(facts, symbol) }
}

/** The error after the step of all parameters. */
function stepped(
  network: Network,
  gradients: readonly LayerGradient[],
  rate: number,
  x: readonly number[],
  target: readonly number[],
): number {
  const layers = network.layers.map((layer, l) => ({
    ...layer,
    w: layer.w.map((row, i) => row.map((w, j) => w - rate * gradients[l]!.w[i]![j]!)),
    ...(layer.b && { b: layer.b.map((b, j) => b - rate * gradients[l]!.b![j]!) }),
  }))
  return new Board({ ...network, layers }, x, target).error
}

function agree(error: number, factors: readonly Factor[], weights: readonly WeightExplanation[]): boolean {
  const near = (a: number, b: number, share: number): boolean =>
    Math.abs(a - b) <= share * Math.max(1e-3 * Math.max(1, Math.abs(error)), Math.abs(a))
  return (
    factors.every(f => near(f.value, f.check, 1e-6)) &&
    weights.every(
      w =>
        near(w.product, w.gradient, 1e-9) &&
        near(w.product, w.finiteDifference, 1e-6) &&
        w.factors.every(f => near(f.value, f.check, 1e-6)),
    )
  )
}
