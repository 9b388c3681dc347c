// A dense network as a program, so that its paths can be told like those of any function.
import { tensor } from "../core/concrete.ts"
import { scope, type Tensor } from "../core/tensor.ts"
import { dense } from "../nn/dense.ts"
import { sgd } from "../optim/sgd.ts"
import { explain } from "./explain.ts"
import type { Explanation } from "./explanation.ts"
import { pathOf } from "./names.ts"
import { activate, lossOf } from "./network.ts"
import type { Problem } from "./problem.ts"

interface DenseParams {
  readonly w: Tensor
  readonly b?: Tensor
}
/** Parameters by the names of `explainNetwork`: `layers.0.w` is at `tree.layers[0].w`. */
type Params = { [name: string]: Params | DenseParams }

/**
 * The chains of derivatives from the error of a problem to one of its parameters, such as `layers.0.w[3,1]`, and the step of plain
 * gradient descent. Throws ProblemError if there is no such parameter.
 *
 * @example
 * const network = { layers: [{ w: [[0.5], [0.2]], b: [1.83], activation: "logistic" }], loss: "half squared error" } as const
 * explainProblem({ network, x: [0.1, 0.3], target: [0.03], learningRate: 0.01 }, "layers.0.w[0,0]").gradient.toFixed(6)  // "0.009276"
 */
export function explainProblem({ network, x, target, learningRate }: Problem, of: string): Explanation {
  const params: Params = {}
  const layers = network.layers.map(({ w, b, activation }, l) => {
    const path = pathOf(network, l)
    const own = { w: f64(w), ...(b && { b: f64(b) }) }
    put(params, path.split(".").filter(Boolean), own)
    return { path, activation, affine: dense(w.length, w[0]!.length, { bias: b !== undefined, dtype: "f64" }) }
  })
  const { loss, joined } = lossOf(network.loss)
  const targets = f64([target])
  const error = (p: Params, x: Tensor): Tensor => {
    const y = layers.reduce((y, { path, activation, affine }, l) => {
      // a joined loss computes its activation itself
      const isJoined = joined !== undefined && l === layers.length - 1
      return scope(path, () => {
        const [s] = affine.apply(at(p, path.split(".").filter(Boolean)), {}, y, { training: false })
        return isJoined ? s : activate(activation, s)
      })
    }, x)
    return loss(y, targets, { reduction: network.reduction ?? "sum" })
  }
  return explain(error, [params, f64([x])], { of, optimizer: sgd(learningRate) })
}

const f64 = (data: readonly number[] | readonly (readonly number[])[]): Tensor => tensor(data as number[], { dtype: "f64" })

function put(tree: Params, [first, ...rest]: readonly string[], own: DenseParams): void {
  if (first === undefined) Object.assign(tree, own)
  else if (rest.length) put((tree[first] ??= {}) as Params, rest, own)
  else tree[first] = own
}
const at = (tree: Params, path: readonly string[]): any => path.reduce((part: any, name) => part[name], tree)
