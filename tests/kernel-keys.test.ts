// Kernels are cached by a text: what they read to find the place of an element is part of it.
import { expect, test } from "vitest"
import { keyOf } from "../src/compile/kernel.ts"
import { lower } from "../src/compile/passes.ts"
import { flip, scatterAdd, type Tensor, tensor, zeros } from "../src/index.ts"
import { exact, recorded, runOn } from "./engines.ts"

const updates = tensor([1, 2, 4])
const indices = tensor([3, 0, 1], { dtype: "i32" })
const cases = [
  { name: "indices as they are", f: (i: Tensor, u: Tensor) => scatterAdd(zeros([4]), i, u), wanted: [2, 4, 0, 1] },
  { name: "indices from the back", f: (i: Tensor, u: Tensor) => scatterAdd(zeros([4]), flip(i), u), wanted: [2, 1, 0, 4] },
]

test("scatters by other indices have other keys", () => {
  const keys = cases.map(({ f }) => {
    const { tasks } = lower(recorded(f, [indices, updates]).graph)
    return tasks.flatMap(t => (t.k === "kernel" && t.kernel.out.mode === "add" ? [keyOf(t.kernel)] : []))
  })
  expect(keys.map(k => k.length)).toEqual([1, 1])
  expect(keys[0]).not.toEqual(keys[1])
})
test.each(cases)("one engine runs both: $name", ({ f, wanted }) => {
  const { graph, inputs } = recorded(f, [indices, updates])
  for (const engine of exact) expect([...runOn(engine, graph, inputs)[0]!]).toEqual(wanted)
})
