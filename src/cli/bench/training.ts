// Training as it is written with adjoint: one compiled step, or a compiled loop of many.
import { jit, scan, type Tensor, type Tree, valueAndGrad } from "../../index.ts"
import type { Optimizer } from "../../optim.ts"
import { type Budget, type Measured, rounded } from "./result.ts"
import { timeSteps } from "./timing.ts"

/** A network with its first weights, its loss, its data and its optimizer. */
export interface Task<P extends Tree> {
  readonly params: P
  readonly loss: (params: P, x: Tensor, y: Tensor) => Tensor
  readonly optimizer: Optimizer
  /** Inputs by turns, and answers by turns: with different periods, so that nothing can be memorised. */
  readonly xs: readonly Tensor[]
  readonly ys: readonly Tensor[]
  /** Floating-point operations of a step, by the convention of `flops.ts`. */
  readonly flops: number
}

/** A training that goes on where it stands. */
export interface Training<P extends Tree> {
  /** Does `n` steps and has finished them when it returns. */
  run(n: number): void
  /** The loss of the last step, before its update. */
  loss(): number
  params(): P
  /** Steps that are done at once. */
  readonly unit: number
}

/** Forward, backward and update. */
function stepOf<P extends Tree>({ loss, optimizer }: Task<P>) {
  return (params: P, state: Tree, x: Tensor, y: Tensor): [params: P, state: Tree, loss: Tensor] => {
    const [value, gradients] = valueAndGrad(loss)(params, x, y)
    return [...optimizer.update(gradients as P, state, params), value]
  }
}

/** One call of a compiled step for each step. Takes over the task's parameters. */
export function stepByStep<P extends Tree>(task: Task<P>): Training<P> {
  const { xs, ys } = task
  const step = jit(stepOf(task), { donate: [0, 1] })
  let { params } = task
  let state = task.optimizer.init(params)
  let last: Tensor | undefined
  let i = 0
  return {
    unit: 1,
    run(n) {
      for (let end = i + n; i < end; i++) [params, state, last] = step(params, state, xs[i % xs.length]!, ys[i % ys.length]!)
      last!.item()
    },
    loss: () => last!.item(),
    params: () => params,
  }
}

/** `unit` steps on one batch in each call of a compiled loop, and what is left step by step. Takes over the task's parameters. */
export function inChunks<P extends Tree>(task: Task<P>, unit = 1000): Training<P> {
  const [x, y] = [task.xs[0]!, task.ys[0]!]
  const step = stepOf(task)
  const one = jit(step, { donate: [0, 1] })
  const many = jit(
    (params: P, state: Tree, x: Tensor, y: Tensor): [P, Tree, Tensor] => {
      const turn = ([params, state]: [P, Tree]): [[P, Tree], Tensor] => {
        const [params2, state2, loss] = step(params, state, x, y)
        return [[params2, state2], loss]
      }
      const [[params2, state2], losses] = scan(turn, [params, state], null, { length: unit })
      return [params2, state2, losses.at(-1)]
    },
    { donate: [0, 1] },
  )
  let { params } = task
  let state = task.optimizer.init(params)
  let last: Tensor | undefined
  return {
    unit,
    run(n) {
      let left = n
      for (; left >= unit; left -= unit) [params, state, last] = many(params, state, x, y)
      for (; left > 0; left--) [params, state, last] = one(params, state, x, y)
      last!.item()
    },
    loss: () => last!.item(),
    params: () => params,
  }
}

/** What is known of a training that was measured, without the value in the workload's own unit. */
export interface Trained extends Omit<Measured, "variant" | "value" | "unit"> {
  readonly ms: number
}

/** Measures a training from its first step on. */
export function measure<P extends Tree>(
  begin: () => Training<P>,
  flops: number,
  budget: Budget,
  options: { readonly warmSteps?: number } = {},
): Trained {
  const start = performance.now()
  const training = begin()
  training.run(1)
  const loss0 = rounded(training.loss())
  if (training.unit > 1) training.run(training.unit) // another program
  const first = performance.now() - start
  const timing = timeSteps(n => training.run(n), budget, { ...options, unit: training.unit })
  const rate = gflopsAt(flops, timing.ms)
  return { ...timing, gflops: rate, first_step_ms: rounded(first, 4), loss0, loss1: rounded(training.loss()) }
}

/** GFLOP/s at so many milliseconds a step. */
export const gflopsAt = (flops: number, ms: number): number => rounded(flops / ms / 1e6, 4)

/** Steps a second, the unit of most workloads. */
export const stepsPerSecond = (variant: string, trained: Trained): Measured => ({
  ...trained,
  variant,
  value: rounded(1000 / trained.ms),
  unit: "steps/s",
})
