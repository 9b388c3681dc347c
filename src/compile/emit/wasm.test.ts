import { describe, expect, test } from "vitest"
import { interpret } from "./testing/interpret.ts"
import { randomKernel, randomNumbers } from "./testing/random-kernels.ts"
import { runWasm } from "./testing/run-wasm.ts"
import { kernelKind } from "./wasm.ts"

describe("random kernels", () => {
  test("equal the interpreter bit for bit", () => {
    const kinds: Record<string, number> = {}
    for (let seed = 1; seed <= 1500; seed++) {
      const { kernel, operands, out } = randomKernel(randomNumbers(seed))
      kinds[kernelKind(kernel)] = (kinds[kernelKind(kernel)] ?? 0) + 1
      const want = out.slice()
      interpret(kernel, operands, want)
      expect(runWasm(kernel, operands, out), `seed ${seed}`).toEqual(want)
    }
    console.log(kinds)
  })
})
