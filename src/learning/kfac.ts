// Natural gradient with the Fisher information of each layer as a product of two small matrices.

import { cond } from "../control/cond.ts"
import { whileLoop } from "../control/scan.ts"
import type { Shape } from "../core/aval.ts"
import { tensor } from "../core/concrete.ts"
import type { Tensor } from "../core/tensor.ts"
import type { Tree } from "../core/tree.ts"
import type { Params } from "../nn/index.ts"
import { softmax } from "../ops/activations.ts"
import { abs, add, cast, div, equal, greater, less, logicalAnd, maximum, minimum, mul, sqrt, sub } from "../ops/arithmetic.ts"
import { type ConvOptions, conv1d, conv2d } from "../ops/convolution.ts"
import { eye, oneHot, ones } from "../ops/create.ts"
import { trace } from "../ops/diagonal.ts"
import { categorical, fold, normal } from "../ops/random.ts"
import { max, sum } from "../ops/reduction.ts"
import { concat, matmul, reshape, slice } from "../ops/shape.ts"
import { remainder } from "../ops/special.ts"
import type { SlopeRule } from "../train/rule.ts"
import { assembled, type Block, blocksOf, forward, type Turn } from "./blocks.ts"
import type { Distribution } from "./curvature.ts"
import { wantCount, wantPositive, wantShare } from "./wants.ts"

export interface KfacOptions {
  /** What the outputs are: logits of classes, or means with unit variance. Default: "categorical". */
  readonly distribution?: Distribution
  /** Added to the Fisher information's diagonal, shared out between both factors. Default: 0.01. */
  readonly damping?: number
  /** How much of the factors' average is kept from step to step. Default: 0.95. */
  readonly decay?: number
  /** Steps between two inversions of the factors. Default: 5. */
  readonly every?: number
}

/** Factors of one layer, averaged over steps, and their damped inverses. */
interface Factors {
  readonly a: Tensor
  readonly g: Tensor
  readonly aInverse: Tensor
  readonly gInverse: Tensor
}

/**
 * Kronecker-factored approximate curvature: for each layer the Fisher information is taken as the product of the inputs' second moments A and
 * those of the slopes by its sums G, so that two small matrices are inverted instead of one with a row for each weight. Martens and Grosse,
 * arXiv:1503.05671; for convolutions Grosse and Martens, arXiv:1602.01407.
 *
 *     A = E[h h^T]  (h with a 1 behind it for the bias),  G = E[g g^T],  g = dlog p(t)/ds for t drawn from the model itself
 *     dW = (A + pi sqrt(damping) I)^-1 dE/dW (G + sqrt(damping) / pi I)^-1,   pi^2 = (tr A / dim A) / (tr G / dim G)
 *
 * A convolution's A is that of its windows, its G the mean over places. The factors are averages over steps. Signals: `weights`, as it begins
 * with the gradient. Throws TypeError for options out of range, and for models other than `sequential` ones of dense and convolutional
 * layers (not transposed, without groups) with layers without parameters between them.
 *
 * @example
 * const x = random.normal(random.key(1), [64, 2])
 * const y = cast(prod(x, { axis: 1 }).greater(0), "i32")
 * const model = sequential(dense(2, 16), logistic(), dense(16, 2))
 * const run = fit(model, { x, y }, { loss: crossEntropy, optimizer: sgd(0.3, { momentum: 0.9 }), epochs: 40, rule: kfac() })
 * const trained = await run.result
 * trained.evaluate({ x, y }, { loss: crossEntropy }).loss < 0.2  // true
 */
export function kfac({ distribution = "categorical", damping = 0.01, decay = 0.95, every = 5 }: KfacOptions = {}): SlopeRule {
  if (distribution !== "categorical" && distribution !== "gaussian")
    throw new TypeError(`kfac: \`distribution\` must be "categorical" or "gaussian"; got ${JSON.stringify(distribution)}`)
  wantPositive("kfac", "damping", damping)
  wantShare("kfac", "decay", decay)
  wantCount("kfac", "every", every)
  return {
    config: { kind: "kfac", distribution, damping, decay, every },
    signals: ["weights"],
    init(model, params, inShape) {
      const { blocks } = blocksOf("kfac", model, params, inShape)
      const factors = blocks.map((block): Factors => {
        const { w, b } = params.layers[block.at] as Params as { w: Tensor; b?: Tensor }
        wantPlain(block)
        const outputs = w.shape.at(-1)!
        const inputs = w.size / outputs + (b ? 1 : 0)
        const one = (n: number): Tensor => eye(n, { dtype: w.dtype as "f32" })
        return { a: one(inputs), g: one(outputs), aInverse: one(inputs), gInverse: one(outputs) }
      })
      return { kept: { factors, step: tensor(0, { dtype: "i32" }) } as unknown as Tree, learned: {} }
    },
    slopes(step) {
      const { turns, top, loss, slope } = forward("kfac", step)
      const { factors, step: at } = step.own.kept as unknown as { factors: readonly Factors[]; step: Tensor }
      const examples = step.x.shape[0]!
      const deltas = backwards(turns, slope)
      const drawn = backwards(turns, drawnSlope(distribution, top.out, fold(step.key, DRAWN)))
      // the average begins with the first batch alone
      const keep = minimum(decay, div(cast(at, top.out.dtype), add(cast(at, top.out.dtype), 1)))
      const now = turns.map((turn, l): Factors => {
        const { a, g } = factors[l]!
        const rows = inputsOf(turn)
        const outs = reshape(drawn[l]!, [-1, turn.s.shape.at(-1)!])
        // slopes are those of single examples; moments of windows are summed over places, those of slopes are means
        return {
          ...factors[l]!,
          a: mixed(keep, a, div(matmul(rows.transpose(), rows), examples)),
          g: mixed(keep, g, div(matmul(outs.transpose(), outs), outs.shape[0]!)),
        }
      })
      const due = equal(remainder(at, every), 0)
      const solved = cond(
        due,
        fs => fs.map(f => inverted(f, damping)),
        fs => fs as readonly Factors[],
        now,
      )
      const slopes = turns.map((turn, l) => solve(turn, turn.toParams(deltas[l]!), solved[l]!))
      const kept = { factors: solved, step: add(at, 1) } as unknown as Tree
      return { loss, state: step.state, params: assembled(step.model, turns, slopes), kept }
    },
  }
}
/** Layers have keys by their places; targets are drawn by none of these. */
const DRAWN = 0x7fffffff
const mixed = (keep: Tensor, before: Tensor, now: Tensor): Tensor => add(mul(before, keep), mul(now, sub(1, keep)))

const PLAIN: Readonly<Record<string, number>> = { dense: 0, conv1d: 1, conv2d: 2 }
function wantPlain({ at, layer }: Block): void {
  const { groups = 1 } = layer.config as { groups?: number }
  if (!(layer.kind in PLAIN) || groups !== 1)
    throw new TypeError(
      `kfac: layers.${at} must be dense, conv1d or conv2d without groups; got ${layer.kind}${groups === 1 ? "" : ` of ${groups} groups`}`,
    )
}

/** Cotangents of the sums of each block from one of the output. */
function backwards(turns: readonly Turn[], slope: Tensor): Tensor[] {
  const deltas: Tensor[] = []
  let ct = slope
  for (let l = turns.length - 1; l >= 0; l--) {
    deltas[l] = turns[l]!.toSum(ct)
    if (l > 0) ct = turns[l]!.toInput(deltas[l]!)
  }
  return deltas
}
/** The slope of -log p(t) by the outputs of each example, with t as the model itself would draw it. */
function drawnSlope(distribution: Distribution, y: Tensor, key: Tensor): Tensor {
  const dtype = y.dtype as "f32" | "f64"
  if (distribution === "gaussian") return normal(key, y.shape, { dtype })
  return sub(softmax(y), oneHot(categorical(key, y), y.shape.at(-1)!, { dtype }))
}

/** What the weights of a block are multiplied by: inputs or windows of inputs [rows, inputs], with a 1 behind them if there is a bias. */
function inputsOf({ block, params, h }: Turn): Tensor {
  const dtype = h.dtype as "f32" | "f64"
  const axes = PLAIN[block.layer.kind]!
  const rows = axes === 0 ? reshape(h, [-1, h.shape.at(-1)!]) : windows(block, h, (params.w as Tensor).shape)
  return params.b ? concat([rows, ones([rows.shape[0]!, 1], { dtype })], { axis: 1 }) : rows
}
/** Each window of places as a row, by a convolution that copies. */
function windows({ layer }: Block, h: Tensor, shape: Shape): Tensor {
  const n = shape.slice(0, -1).reduce((a, b) => a * b, 1)
  const copying = reshape(eye(n, { dtype: h.dtype as "f32" }), [...shape.slice(0, -1), n])
  const { stride, padding, dilation } = layer.config as ConvOptions
  const options = {
    ...(stride !== undefined && { stride }),
    ...(padding !== undefined && { padding }),
    ...(dilation !== undefined && { dilation }),
  }
  return reshape(layer.kind === "conv1d" ? conv1d(h, copying, options) : conv2d(h, copying, options), [-1, n])
}

/** The factors with their damped inverses anew. */
function inverted({ a, g, aInverse, gInverse }: Factors, damping: number): Factors {
  const [m, n] = [a.shape[0]!, g.shape[0]!]
  const share = sqrt(div(div(trace(a), m), maximum(div(trace(g), n), 1e-12)))
  const pi = maximum(share, 1e-6)
  const root = Math.sqrt(damping)
  return {
    a,
    g,
    aInverse: inverse(add(a, mul(eyeLike(a), mul(pi, root))), aInverse),
    gInverse: inverse(add(g, mul(eyeLike(g), div(root, pi))), gInverse),
  }
}
const eyeLike = (x: Tensor): Tensor => eye(x.shape[0]!, { dtype: x.dtype as "f32" })

/**
 * The inverse of a symmetric positive definite matrix by Newton's iteration X <- X (2 I - A X), whose error squares each turn; from `guess` where
 * that is near enough. Schulz (1933); Pan and Schreiber, An improved Newton iteration for the generalized inverse of a matrix (1991).
 */
export function inverse(a: Tensor, guess: Tensor): Tensor {
  const one = eyeLike(a)
  const left = (x: Tensor): Tensor => sub(one, matmul(a, x))
  const size = (r: Tensor): Tensor => max(sum(abs(r), { axis: 1 }))
  const cold = div(one, size(a))
  const near = less(size(left(guess)), 0.9)
  const start = cond(
    near,
    (g: Tensor) => g,
    () => cold,
    guess,
  )
  interface Turns {
    readonly x: Tensor
    readonly off: Tensor
    readonly i: Tensor
  }
  const goes = ({ off, i }: Turns): Tensor => logicalAnd(greater(off, 1e-3), less(i, 60))
  const turn = ({ x, i }: Turns): Turns => {
    const next = add(x, matmul(x, left(x)))
    return { x: next, off: size(left(next)), i: add(i, 1) }
  }
  return whileLoop(goes, turn, { x: start, off: size(left(start)), i: tensor(0, { dtype: "i32" }) }).x
}

/** A^-1 dE/dW G^-1, the bias as the last row. */
function solve({ params }: Turn, slopes: Params, { aInverse, gInverse }: Factors): Params {
  const { w, b } = slopes as { w: Tensor; b?: Tensor }
  const outputs = w.shape.at(-1)!
  const rows = reshape(w, [-1, outputs])
  const whole = b ? concat([rows, reshape(b, [1, outputs])], { axis: 0 }) : rows
  const d = matmul(matmul(aInverse, whole), gInverse)
  const n = rows.shape[0]!
  return { ...(params.w ? { w: reshape(slice(d, [0, n]), w.shape) } : {}), ...(b && { b: reshape(slice(d, [n, n + 1]), b.shape) }) }
}
