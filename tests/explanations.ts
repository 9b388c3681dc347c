// Explanations of small networks, for tests of what is made of them.
import { type Explanation, explain } from "../src/explain.ts"
import { random, type Tensor, tensor } from "../src/index.ts"
import { crossEntropy, squaredError } from "../src/losses/index.ts"
import { dense, lstm, relu, sequential } from "../src/nn/index.ts"
import { adam } from "../src/optim/index.ts"

function mlp(x: Tensor, target: readonly number[]): Explanation {
  const model = sequential(dense(3, 5), relu(), dense(5, 4)) as any
  const { params, state } = model.init(random.key(1), [3])
  const loss = (p: any, x: Tensor): Tensor => crossEntropy(model.apply(p, state, x)[0], tensor(target, { dtype: "i32" }))
  return explain(loss, [params, x], { of: "layers.0.w[1,0]", optimizer: adam(0.01) })
}
/** Two rows, in one of which the unit of the weight is alive. */
export const classified = (): Explanation => mlp(random.normal(random.key(2), [2, 3]), [1, 3])
/** The unit is dead, and so the gradient is 0. */
export const blocked = (): Explanation => mlp(tensor([[-3, -3, -3]]), [1])

/** A weight that is used in each turn. */
export function recurrent(turns: number, { open = true } = {}): Explanation {
  const model = sequential(lstm(2, 3), dense(3, 2)) as any
  const { params, state } = model.init(random.key(1), [turns, 2])
  const target = random.normal(random.key(5), [1, 2])
  const loss = (p: any, x: Tensor): Tensor => squaredError(model.apply(p, state, x)[0], target)
  return explain(loss, [params, random.normal(random.key(2), [1, turns, 2])], { of: "layers.0.wx[0,1]", open, paths: 2 })
}

/** An explanation whose every text from outside is another one. */
export function renamed(e: Explanation, text: string): Explanation {
  const from = new Set(["name", "operation", "formula", "latex", "numbers", "sentence", "symbol", "optimizer", "verdict"])
  const visit = (x: any, key = ""): any => {
    if (typeof x === "string") return from.has(key) || key === "scope" || key === "path" ? text : x
    if (Array.isArray(x)) return x.map(y => visit(y, key))
    if (typeof x !== "object" || x === null) return x
    return Object.fromEntries(Object.entries(x).map(([k, v]) => [k, visit(v, k)]))
  }
  return visit(e)
}
