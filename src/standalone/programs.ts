// The programs of a written module: what each one computes, compiled for its number of rows.
import { type Shape, size } from "../core/aval.ts"
import { fromArray } from "../core/concrete.ts"
import { allocate, type Dtype } from "../core/dtype.ts"
import type { Tensor } from "../core/tensor.ts"
import type { Tree } from "../core/tree.ts"
import { softmax } from "../ops/activations.ts"
import * as random from "../ops/random.ts"
import { formOf } from "../train/forms.ts"
import { backprop, startOf } from "../train/rule.ts"
import { type Carry, compileSteps } from "../train/step.ts"
import type { TrainedModel } from "../train/trained.ts"
import { type Compiled, compile } from "./compile.ts"
import type { ImageEncoding, Stored } from "./description.ts"
import type { Checked, TrainableOptions } from "./options.ts"
import { crc32 } from "./runtime/saved.ts"

/** Code for so many rows, and the section that will have it. */
export interface Program {
  readonly section: string
  readonly rows: number
  readonly compiled: Compiled
}
export interface Training {
  readonly steps: readonly Program[]
  /** The answer to one row. */
  readonly target: { readonly shape: Shape; readonly dtype: Stored }
  /** The optimizer's state at the start. */
  readonly optimizer: Tree
  /** The key of all steps, as in `fit`. */
  readonly keys: Tensor
  /** A number by which saved bytes are told from those of other models and optimizers. */
  readonly kind: number
}

const blank = (shape: Shape, dtype: Dtype): Tensor => fromArray(allocate(dtype, size(shape)), { shape: [...shape], dtype })
const increasing = (numbers: readonly number[]): number[] => [...new Set(numbers)].sort((a, b) => a - b)

/** For one row and for several: parameters, state, x -> outputs and, where they are logits of classes, probabilities. */
export function predictPrograms({ model, params, state, inShape }: TrainedModel, { rows, dtype, encoding }: Checked): Program[] {
  const classes = encoding?.target.kind === "class"
  const predict = (params: any, state: any, x: Tensor): Tensor[] => {
    const [y] = model.apply(params, state, x, { training: false })
    return classes ? [y, softmax(y)] : [y]
  }
  return increasing([1, rows]).map(n => ({
    section: `predict ${n}`,
    rows: n,
    compiled: compile(predict, [params, state, blank([n, ...inShape], dtype)]),
  }))
}

/** One step of `fit` for each number of rows: carry, x, y, keys, number of the step, 1 -> carry in its own memory, loss. */
export function trainingPrograms(
  trained: TrainedModel,
  { dtype, encoding }: Checked,
  outShape: Shape,
  options: TrainableOptions,
): Training {
  const { loss, optimizer, batchSizes = [1, 32], seed = 0 } = options
  const { model, params, state, inShape } = trained
  const rule = backprop()
  const root = random.key(seed)
  const target = options.target ?? targetOf(encoding, outShape)
  const carry: Carry = { params, state, optimizer: startOf(rule, optimizer, model, params, inShape, root) }
  const keys = random.fold(root, 1)
  const number = blank([], "i32")
  // the very program of fit, so that the bits are those of fit; there it takes several batches at a time
  const run = compileSteps(model, loss, optimizer, rule)
  const step = (carry: Carry, x: Tensor, y: Tensor, keys: Tensor, first: Tensor, steps: Tensor): Tree =>
    run(carry, { x, y }, keys, first, steps, null) as unknown as Tree
  const steps = increasing(batchSizes).map((n): Program => {
    const [x, y] = [blank([1, n, ...inShape], dtype), blank([1, n, ...target.shape], target.dtype)]
    const compiled = compile(step, [carry as unknown as Tree, x, y, keys, number, number], [0])
    checkInPlace(compiled)
    return { section: `step ${n}`, rows: n, compiled }
  })
  const form = [model.config, optimizer.config, formOf(params), formOf(state), formOf(carry.optimizer)]
  return { steps, target, optimizer: carry.optimizer, keys, kind: crc32(new TextEncoder().encode(JSON.stringify(form))) }
}

/** All results but the last, the loss, must lie where the argument of that number lay. */
function checkInPlace({ donated }: Compiled): void {
  const odd = donated.slice(0, -1).findIndex((from, o) => from !== o)
  if (odd >= 0)
    throw new TypeError(
      `exportStandalone: part ${odd} of parameters, state and optimizer changes its shape, dtype or place in a step, so it cannot be learned in place`,
    )
}

function targetOf(encoding: Checked["encoding"], outShape: Shape): Training["target"] {
  const kind = (encoding as ImageEncoding | null)?.target.kind
  return kind === "class" ? { shape: [], dtype: "i32" } : { shape: outShape, dtype: "f32" }
}
