// A model taken apart into blocks that are linear in their input up to a sum, and without parameters from there on.
import type { Shape } from "../core/aval.ts"
import { scope, type Tensor } from "../core/tensor.ts"
import { leaves, type Tree } from "../core/tree.ts"
import type { Layer, Model, Params } from "../nn/index.ts"
import { oneHot, onesLike } from "../ops/create.ts"
import { fold } from "../ops/random.ts"
import { reshape } from "../ops/shape.ts"
import type { RuleStep } from "../train/rule.ts"
import { vjp } from "../transforms/grad.ts"

/** s = linear(h), out = rest(s): a dense or convolutional layer and the activation, pooling, ... behind it. */
export interface Block {
  /** Place of the layer with parameters in the model. */
  readonly at: number
  readonly layer: Layer
  /** Shapes of one example: of h, and of what the block gives. */
  readonly inShape: Shape
  readonly outShape: Shape
  /** The sums (pre-activations) [batch, ...] of an input [batch, ...]. */
  linear(params: Params, h: Tensor): Tensor
  rest(s: Tensor, key: Tensor): Tensor
  /** The activations of the block alone: what maps any numbers into the range of its outputs. */
  activate(h: Tensor): Tensor
}
export interface Blocks {
  /** What stands before the first layer with parameters, such as `flatten`. */
  enter(x: Tensor, key: Tensor): Tensor
  readonly blocks: readonly Block[]
}

const LINEAR: ReadonlySet<string> = new Set(["dense", "conv1d", "conv2d", "convTranspose1d", "convTranspose2d"])

/**
 * The blocks of a `sequential` model for examples of `inShape`.
 *
 * Throws TypeError, in the name of the rule, for models with layers whose parameters are not those of a linear map.
 */
export function blocksOf(rule: string, model: unknown, params: any, inShape: Shape): Blocks {
  const { kind, layers } = model as Model
  if (kind !== "sequential" || !Array.isArray(params?.layers))
    throw new TypeError(`${rule}: trains models made with sequential(...) of adjoint/nn, which it takes apart; got ${kind ?? typeof model}`)
  layers.forEach((layer, i) => {
    const plain = leaves(params.layers[i] as Tree).length === 0 && !("layers" in layer)
    if (!plain && !LINEAR.has(layer.kind))
      throw new TypeError(
        `${rule}: cannot take layers.${i} (${layer.kind}) apart: a layer with parameters must be one of ${[...LINEAR].join(", ")}. ` +
          "Train this model with backprop()",
      )
  })
  const starts = layers.flatMap((layer, i) => (LINEAR.has(layer.kind) ? [i] : []))
  if (starts.length === 0) throw new TypeError(`${rule}: the model has no layer with parameters, so that there is nothing to learn`)
  let shape = layers.slice(0, starts[0]).reduce<Shape>((s, layer) => layer.outShape(s), inShape)
  const blocks = starts.map((at, b): Block => {
    const behind = places(layers, at + 1, starts[b + 1] ?? layers.length)
    const [before, layer] = [shape, layers[at]!]
    shape = [layer, ...behind.map(p => p.layer)].reduce<Shape>((s, l) => l.outShape(s), before)
    return {
      ...{ at, layer, inShape: before, outShape: shape },
      linear: (params, h) => scope(`layers.${at}`, () => layer.apply(params, {}, h)[0]),
      rest: (s, key) => through(behind, s, key),
      activate: h => behind.filter(p => p.layer.out === "same" && p.layer.kind !== "dropout").reduce((x, p) => pass(p, x), h),
    }
  })
  return { enter: (x, key) => through(places(layers, 0, starts[0]!), x, key), blocks }
}

interface Place {
  readonly i: number
  readonly layer: Layer
}
const places = (layers: readonly Layer[], from: number, to: number): Place[] =>
  layers.slice(from, to).map((layer, i) => ({ i: from + i, layer }))
/** A layer without parameters, with the scope and the key that it has in `sequential`. */
const pass = ({ i, layer }: Place, x: Tensor, key?: Tensor): Tensor =>
  scope(`layers.${i}`, () => layer.apply({}, {}, x, key ? { training: true, key: fold(key, i) } : {})[0])
const through = (places: readonly Place[], x: Tensor, key: Tensor): Tensor => places.reduce((y, p) => pass(p, y, key), x)

/** A block as it was run on a batch, with its local derivatives. */
export interface Turn {
  readonly block: Block
  readonly params: Params
  readonly h: Tensor
  readonly s: Tensor
  readonly out: Tensor
  /** From a cotangent of the output to one of the sums. */
  toSum(ct: Tensor): Tensor
  /** From a cotangent of the sums to one of the parameters. */
  toParams(ct: Tensor): Params
  /** From a cotangent of the sums to one of the input, by the map back that belongs to `params`: the block's own, unless told. */
  toInput(ct: Tensor, params?: Params): Tensor
}

/** Runs one block. */
export function turn(block: Block, params: Params, h: Tensor, key: Tensor): Turn {
  const [s, pullParams] = vjp((p: Params) => block.linear(p, h), params)
  const [out, pullRest] = vjp((s: Tensor) => block.rest(s, key), s)
  return {
    ...{ block, params, h, s, out },
    toSum: ct => pullRest(ct)[0],
    toParams: ct => pullParams(ct)[0],
    toInput: (ct, other = params) => vjp((h: Tensor) => block.linear({ ...params, ...other }, h), h)[1](ct)[0],
  }
}

/** The forward pass of a rule's step, block by block. */
export interface Forward {
  readonly turns: readonly Turn[]
  readonly top: Turn
  /** The loss of the batch, and its gradient by the output. */
  readonly loss: Tensor
  readonly slope: Tensor
}
export function forward(
  rule: string,
  { model, params, x, y, loss, key }: RuleStep,
  sample = (out: Tensor, _l: number): Tensor => out,
): Forward {
  const { enter, blocks } = blocksOf(rule, model, params, x.shape.slice(1))
  const turns: Turn[] = []
  let h = enter(x, key)
  blocks.forEach((block, l) => {
    const made = turn(block, params.layers[block.at], h, key)
    turns.push(made)
    h = l < blocks.length - 1 ? sample(made.out, l) : made.out
  })
  const top = turns.at(-1)!
  return { turns, top, ...judge(loss, top.out, y) }
}
/** The loss, and its gradient by the output. */
export function judge(loss: RuleStep["loss"], output: Tensor, y: Tensor): { loss: Tensor; slope: Tensor } {
  const [value, pull] = vjp((output: Tensor) => loss(output, y), output)
  return { loss: value, slope: pull(onesLike(value))[0] }
}

/** A tree like the parameters from the slopes of each block. */
export function assembled(model: unknown, blocks: readonly { readonly block: Block }[], slopes: readonly Params[]): { layers: Params[] } {
  const layers: Params[] = (model as Model).layers.map(() => ({}))
  blocks.forEach(({ block }, l) => {
    layers[block.at] = slopes[l]!
  })
  return { layers }
}

/** [batch, ...] as [batch, n] */
export const flat = (x: Tensor): Tensor => reshape(x, [x.shape[0]!, -1])
/** Targets as numbers [batch, n]: classes one-hot, as wide as the outputs. */
export const numbersOf = (y: Tensor, output: Tensor): Tensor =>
  flat(y.dtype === "i32" ? oneHot(y, output.shape.at(-1)!, { dtype: output.dtype }) : y)
