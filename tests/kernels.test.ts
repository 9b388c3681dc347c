// What the benchmarks' workloads are compiled to is pinned: how many kernels of which kind, and no division in any loop.
import { expect, test } from "vitest"
import { cnn } from "../src/cli/bench/cnn.ts"
import { lstm } from "../src/cli/bench/lstm.ts"
import { mlp, OPTIMIZERS, SMALL } from "../src/cli/bench/mlp.ts"
import type { Task } from "../src/cli/bench/training.ts"
import { transformer } from "../src/cli/bench/transformer.ts"
import { type Lowered, lower } from "../src/compile/passes.ts"
import { quotients } from "../src/compile/testing/quotients.ts"
import { recordCall } from "../src/control/call.ts"
import type { Tree } from "../src/core/tree.ts"
import { program } from "../src/explain.ts"
import { valueAndGrad } from "../src/index.ts"

function step(task: Task<any>): { f: (...args: any[]) => any; args: Tree[] } {
  const f = (params: any, state: any, x: any, y: any): any => {
    const [loss, gradient] = valueAndGrad(task.loss)(params, x, y)
    return [...task.optimizer.update(gradient, state, params), loss]
  }
  return { f, args: [task.params, task.optimizer.init(task.params), task.xs[0]!, task.ys[0]!] as Tree[] }
}
const divided = ({ tasks }: Lowered): string[] =>
  tasks.flatMap(t => (t.k === "loop" ? divided(t.body) : quotients(t.kernel) > 0 ? [`${t.name} ${t.scope.join("/")}`] : []))

const workloads = {
  "W3 sgd-momentum": mlp(SMALL.widths, SMALL.batch, OPTIMIZERS["sgd-momentum"]),
  "W3 and W4 adam": mlp(SMALL.widths, SMALL.batch, OPTIMIZERS.adam),
  W5: cnn(),
  W6: lstm(),
  W7: transformer(),
}
test.each(Object.entries(workloads))("%s", (_name, task) => {
  const { f, args } = step(task as Task<any>)
  const { kernels } = program(f, args, { donate: [0, 1] })
  const count = (kind: string): string => {
    const times = kernels.filter(k => k.kind === kind).map(k => k.times)
    const inLoops = times.filter(t => t > 1).length
    return inLoops ? `${times.length - inLoops} and ${inLoops} in loops` : `${times.length}`
  }
  expect(Object.fromEntries(["gemm", "vector", "reduce", "scalar"].map(kind => [kind, count(kind)]))).toMatchSnapshot()
  expect(divided(lower(recordCall(f, args).graph))).toEqual([])
})
