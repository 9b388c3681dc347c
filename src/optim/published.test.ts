// Against values that others have published; where their files are absent the tests are skipped.
import { existsSync, readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { leaves, type Tree } from "../core/tree.ts"
import { grad, jit, ones, sigmoid, type Tensor, tensor } from "../js.ts"
import { adadelta, adafactor, adagrad, adam, adamax, adamw, lamb, lion, nadam, type Optimizer, rmsprop, sgd } from "./index.ts"

const f64 = (x: Parameters<typeof tensor>[0]): Tensor => tensor(x, { dtype: "f64" })

// PyTorch's protocol for its own optimizers: test/cpp/api/optim_baseline.py
const baseline = "../shared/material/torch-optim/optim_baseline.json"
interface Baseline {
  readonly initial: number[][]
  readonly shapes: number[][]
  readonly input: number[][]
  readonly iterations: number
  readonly sample_every: number
  readonly trajectories: Record<string, number[][][]>
}
const decay = { weightDecay: 1e-2 }
const torchs: Record<string, Optimizer> = {
  SGD: sgd(0.1),
  SGD_with_weight_decay: sgd(0.1, decay),
  SGD_with_weight_decay_and_momentum: sgd(0.1, { ...decay, momentum: 0.9 }),
  SGD_with_weight_decay_and_nesterov_momentum: sgd(0.1, { momentum: 0.9, weightDecay: 1e-6, nesterov: true }),
  RMSprop: rmsprop(0.1),
  RMSprop_with_weight_decay: rmsprop(0.1, decay),
  RMSprop_with_weight_decay_and_centered: rmsprop(0.1, { weightDecay: 1e-6, centered: true }),
  RMSprop_with_weight_decay_and_centered_and_momentum: rmsprop(0.1, { weightDecay: 1e-6, centered: true, momentum: 0.9 }),
  Adagrad: adagrad(1),
  Adagrad_with_weight_decay: adagrad(1, decay),
  Adagrad_with_weight_decay_and_lr_decay: adagrad(1, { weightDecay: 1e-6, lrDecay: 1e-3 }),
  Adam: adam(1),
  Adam_with_weight_decay: adam(1, decay),
  Adam_with_weight_decay_and_amsgrad: adam(1, { weightDecay: 1e-6, amsgrad: true }),
  AdamW: adamw(1),
  AdamW_without_weight_decay: adamw(1, { weightDecay: 0 }),
  AdamW_with_amsgrad: adamw(1, { amsgrad: true }),
}
describe.skipIf(!existsSync(baseline))(`PyTorch's trajectories of 1,001 steps (skipped where ${baseline} is absent)`, () => {
  const base: Baseline | undefined = existsSync(baseline) ? JSON.parse(readFileSync(baseline, "utf8")) : undefined
  it("all settings of the file", () => expect(Object.keys(torchs).sort()).toEqual(Object.keys(base!.trajectories).sort()))
  it.each(Object.entries(torchs))("%s", (name, o) => {
    const { initial, shapes, input, iterations, sample_every, trajectories } = base!
    const x = f64(input)
    const [w1, b1, w2, b2] = initial.map((p, i): Tensor => tensor(p, { dtype: "f64", shape: shapes[i]! })) as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ]
    let params = { w1, b1, w2, b2 }
    const loss = ({ w1, b1, w2, b2 }: typeof params): Tensor =>
      sigmoid(sigmoid(x.matmul(w1.transpose()).add(b1)).matmul(w2.transpose()).add(b2)).sum()
    const step = jit((p: typeof params, s: Tree) => o.update(grad(loss)(p) as typeof params, s, p), { donate: [0, 1] })
    let state = o.init(params)
    let worst = 0
    for (let i = 0; i < iterations; i++) {
      ;[params, state] = step(params, state)
      if (i % sample_every) continue
      const wanted = trajectories[name]![i / sample_every]!.flat()
      const got = leaves(params).flatMap(p => [...p.values()])
      got.forEach((v, k) => (worst = Math.max(worst, Math.abs(v - wanted[k]!) / Math.max(1, Math.abs(wanted[k]!)))))
    }
    expect(worst).toBeLessThan(1e-9)
  })
})

// Keras' protocol for its own: values have four digits, and where one number stands for ten elements it has Keras' tolerance.
const kerasFile = "../shared/material/keras_optimizer_golden.json"
interface Case {
  readonly optimizer: string
  readonly golden: readonly (number | number[])[]
  readonly tol: { readonly rtol: number; readonly atol: number }
}
const keras: Record<string, Optimizer | string> = {
  Adadelta: adadelta(1, { decay: 0.8, eps: 1e-6 }),
  Adafactor: adafactor(0.5, { beta2Decay: -0.65, eps: 1e-4, clip: 0.9 }),
  Adagrad: adagrad(0.2, { initialAccumulator: 0.3, eps: 1e-6 }),
  Adam: adam(1e-3, { amsgrad: true, eps: 1e-7 }),
  Adamax: adamax(0.2, { b1: 0.85, b2: 0.95, eps: 1e-6 }),
  AdamW: "PyTorch, and so adjoint, adds eps to the corrected root; Keras adds it before the correction, and eps = 2 makes that visible",
  Ftrl: "neither PyTorch nor adjoint has it",
  Lamb: lamb(1e-3, { eps: 1e-7 }),
  Lion: lion(1e-3),
  Nadam: nadam(0.5, { b1: 0.5, b2: 0.67, eps: 1e-5, momentumDecay: 1 }),
  RMSprop: rmsprop(1e-3, { decay: 0.9, eps: 1e-7, centered: true }),
  SGD: sgd(0.01, { nesterov: true }),
}
describe.skipIf(!existsSync(kerasFile))(`Keras' values (skipped where ${kerasFile} is absent)`, () => {
  const cases: Record<string, Case> = Object.fromEntries(
    existsSync(kerasFile) ? JSON.parse(readFileSync(kerasFile, "utf8")).cases.map((c: Case) => [c.optimizer, c]) : [],
  )
  it("all cases of the file", () => expect(Object.keys(keras)).toEqual(expect.arrayContaining(Object.keys(cases))))
  for (const [name, o] of Object.entries(keras)) {
    if (typeof o === "string") it.skip(`${name}: ${o}`)
    else
      it(name, () => {
        const { golden, tol } = cases[name]!
        const step = jit((g: Tensor, s: Tree, x: Tensor) => o.update(g, s, x))
        const gs = f64(Array.from({ length: 10 }, (_, i) => (i + 1) / 10))
        const x = ones([10], { dtype: "f64" })
        let [now, state] = step(x.mul(0.01), o.init(x), x)
        for (const row of golden) {
          const wanted = typeof row === "number" ? Array<number>(10).fill(row) : row
          const limit = (w: number): number => (typeof row === "number" ? tol.atol + tol.rtol * Math.abs(w) : 0.5001e-4)
          now.values().forEach((v, i) => expect(Math.abs(v - wanted[i]!)).toBeLessThan(limit(wanted[i]!)))
          ;[now, state] = step(gs, state, now)
        }
      })
  }
})
