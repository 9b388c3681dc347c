// A second program on the state of a training: what each layer gives, and what comes back to it. The numbers are summed up on the host
// (vitals.ts), where the code is the same for all models; as reductions in the program they took three times as long to compile.
import { type Aval, size } from "../../core/aval.ts"
import { isFloating } from "../../core/dtype.ts"
import { scope, type Tensor } from "../../core/tensor.ts"
import { type Tree, treeMap } from "../../core/tree.ts"
import type { Layer, Params } from "../../nn/index.ts"
import { add, cast, square } from "../../ops/arithmetic.ts"
import { onesLike } from "../../ops/create.ts"
import { fold } from "../../ops/random.ts"
import { sum } from "../../ops/reduction.ts"
import { reshape, slice } from "../../ops/shape.ts"
import { jit } from "../../runtime/jit.ts"
import { vjp } from "../../transforms/grad.ts"
import type { Loss, Trainable } from "../trainable.ts"

/** A layer that is no list of layers, or a residual one, and where it stands. */
export interface Site {
  /** As in errors: `layers.2`, or `layers.2/layers.0` for a layer within a layer. */
  readonly place: string
  readonly layer: Layer
  /** The site whose output it reads; -1 is the input of the model. */
  readonly from: number
  /** Within a residual layer: the gradient goes around it too. */
  readonly inner: boolean
  /** Elements of one output. */
  readonly features: number
}
/** What leaves the program, a sample of what is large. */
export interface Readings {
  readonly loss: Tensor
  readonly output: Tensor
  /** Outputs [rows, units] of the sites, and the derivatives of the loss by them. */
  readonly values: readonly Tensor[]
  readonly cotangents: readonly Tensor[]
  /** Sums of squares of the cotangents of the inputs of recurrent sites by time step, [time]; null for other sites. */
  readonly times: readonly (Tensor | null)[]
  /** A tree like the parameters, with matrices [rows, units]. */
  readonly grads: Tree
}
export interface Probe {
  /** Known after the first run; empty for models that are no layers. */
  readonly sites: readonly Site[]
  /** Of the model's output for a batch; known after the first run. */
  readonly output: Aval
  run(params: Tree, state: Tree, x: Tensor, y: Tensor, key: Tensor): Readings
}

/** Elements of a tensor that leave the program: enough for norms and shares, few enough for large models. */
const SAMPLE = 1 << 16
const RECURRENT = new Set(["rnn", "lstm", "gru"])

/** Every so many-th row [rows, last axis], so that at most about `SAMPLE` elements are left. */
export function sampled(x: Tensor): Tensor {
  const units = x.shape.at(-1) ?? 1
  const rows = reshape(x, [-1, units])
  // odd, so that it is in step with nothing that comes in twos
  const every = Math.ceil(x.size / SAMPLE) | 1
  const left = Math.floor(rows.shape[0]! / every)
  return every > 1 && left > 0 ? slice(reshape(slice(rows, [0, left * every]), [left, every, units]), ":", 0) : rows
}

/** Forward and backward as far as they are measured. */
interface Pass {
  readonly y: Tensor
  /** Cotangent of the output -> gradient of the parameters and cotangent of the input. */
  back(ct: Tensor): readonly [grads: Tree, ct: Tensor]
}
interface Walked {
  readonly sites: Site[]
  readonly values: Tensor[]
  readonly cotangents: Tensor[]
  readonly times: (Tensor | null)[]
}

export function probeOf(model: Trainable, loss: Loss): Probe {
  let sites: readonly Site[] = []
  let output: Aval | undefined
  const run = jit((params: Tree, state: Tree, x: Tensor, y: Tensor, key: Tensor): Readings => {
    const walked: Walked = { sites: [], values: [], cotangents: [], times: [] }
    const pass = isLayer(model)
      ? walk(model, params as unknown as Params, state as unknown as Params, x, key, { at: [], from: -1, inner: false, walked })
      : whole(model, params, state, x, key)
    const [value, pull] = vjp((output: Tensor) => loss(output, y), pass.y)
    const [ct] = pull(onesLike(value)) as [Tensor]
    const [grads] = pass.back(ct)
    sites = walked.sites
    output = pass.y.aval
    const { values, cotangents, times } = walked
    return {
      loss: value,
      output: sampled(pass.y),
      values: values.map(sampled),
      cotangents: cotangents.map(sampled),
      times,
      grads: treeMap(sampled, grads as Tree),
    }
  })
  return {
    get sites() {
      return sites
    },
    get output() {
      return output!
    },
    run,
  }
}

const isLayer = (model: Trainable): model is Trainable & Layer => typeof (model as Partial<Layer>).outShape === "function"

/** A model that shows no layers. */
function whole(model: Trainable, params: Tree, state: Tree, x: Tensor, key: Tensor): Pass {
  const [y, pull] = vjp((params: Tree) => model.apply(params, state, x, { key, training: true })[0], params)
  return { y, back: ct => [(pull(ct) as readonly [Tree])[0], ct] }
}

interface Where {
  readonly at: readonly string[]
  readonly from: number
  readonly inner: boolean
  readonly walked: Walked
}

/** Layer by layer, with the scopes and keys of `sequential`. */
function walk(layer: Layer, params: Params, state: Params, x: Tensor, key: Tensor, where: Where): Pass {
  if (layer.kind !== "sequential" && layer.kind !== "residual") return single(layer, params, state, x, key, where)
  const { layers } = layer as Layer & { readonly layers: readonly Layer[] }
  const [ps, states] = [params.layers, state.layers] as readonly [readonly Params[], readonly Params[]]
  const residual = layer.kind === "residual"
  let { from } = where
  let y = x
  const passes = layers.map((l, i) => {
    const name = `layers.${i}`
    const below = { ...where, at: [...where.at, name], from, inner: where.inner || residual }
    const pass = scope(name, () => walk(l, ps[i]!, states[i]!, y, fold(key, i), below))
    y = pass.y
    from = where.walked.sites.length - 1
    return pass
  })
  const back = (ct: Tensor): readonly [Tree, Tensor] => {
    const grads: Tree[] = []
    let down = ct
    for (let i = passes.length - 1; i >= 0; i--) {
      const [g, next] = passes[i]!.back(down)
      grads[i] = g
      down = next
    }
    return [{ layers: grads }, down]
  }
  if (!residual) return { y, back }
  const around = (ct: Tensor): readonly [Tree, Tensor] => {
    const [grads, down] = back(ct)
    return [grads, add(down, ct)]
  }
  return watched(layer, x, { y: add(x, y), back: around }, where)
}

/** One layer as a whole. Its input has a cotangent if there is a layer before it that wants one. */
function single(layer: Layer, params: Params, state: Params, x: Tensor, key: Tensor, where: Where): Pass {
  const apply = (params: Tree, x: Tensor): Tensor => layer.apply(params as unknown as Params, state, x, { key, training: true })[0]
  const [y, pull] = vjp(apply, params as unknown as Tree, x)
  return watched(layer, x, { y, back: ct => pull(ct) as unknown as readonly [Tree, Tensor] }, where)
}

/** The pass, with what goes through it written down. */
function watched(layer: Layer, x: Tensor, { y, back }: Pass, { at, from, inner, walked }: Where): Pass {
  const { sites, values, cotangents, times } = walked
  const i = sites.length
  sites.push({ place: at.join("/"), layer, from, inner, features: size(y.shape.slice(1)) })
  values.push(y)
  return {
    y,
    back(ct) {
      cotangents[i] = ct
      const [grads, down] = back(ct)
      times[i] = RECURRENT.has(layer.kind) && isFloating(x.dtype) ? overTime(down) : null
      return [grads, down]
    },
  }
}

/** Sums of squares of [..., time, features] at each time step. */
const overTime = (ct: Tensor): Tensor => {
  const time = ct.ndim - 2
  return sum(square(cast(ct, "f64")), { axis: ct.shape.flatMap((_, d) => (d === time ? [] : [d])) })
}
