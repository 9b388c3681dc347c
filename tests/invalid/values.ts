// What the tables of invalid calls have in common. Everything is `any`: in an editor most of these calls are red.
import * as data from "../../src/data.ts"
import * as language from "../../src/index.ts"
import * as io from "../../src/io.ts"
import * as losses from "../../src/losses.ts"
import * as nn from "../../src/nn.ts"
import * as optim from "../../src/optim.ts"
import * as train from "../../src/train.ts"

export type Row = readonly [name: string, call: () => unknown, type: new (...args: any[]) => Error, ...parts: string[]]
export type Tables = Readonly<Record<string, readonly Row[]>>

export const js = language as any
export const n = nn as any
export const l = losses as any
export const o = optim as any
export const tr = train as any
export const d = data as any
export const files = io as any

export const { tensor, zeros, random } = js
export const x = tensor([1, 2, 3])
export const m = tensor([
  [1, 2, 3],
  [4, 5, 6],
])
export const i = tensor([1, 2, 3], { dtype: "i32" })
export const b = tensor([true, false, true])
export const k = random.key(1)
export const seq = zeros([2, 5, 4])
export const img = zeros([2, 8, 8, 3])

/** A layer with new parameters, applied. */
export function applied(layer: any, x: any, options?: any): unknown {
  const { params, state } = layer.init(k, x.shape.slice(1))
  return layer.apply(params, state, x, options)
}
/** Parameters after the first update, computed. */
export function updated(optimizer: any, gradients: any, params: any): unknown {
  const [next] = optimizer.update(gradients, optimizer.init(params), params)
  return js.treeMap((x: any) => {
    x.toArray()
    return x
  }, next)
}
export const ok = { loss: l.squaredError, optimizer: o.sgd(0.1), epochs: 1 }
export const fitted = (options: any, data: any = { x: zeros([4, 2]), y: zeros([4, 1]) }, model: any = n.dense(2, 1)): Promise<unknown> =>
  tr.fit(model, data, options).result
