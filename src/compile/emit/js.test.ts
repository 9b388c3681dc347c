import { describe, expect, test } from "vitest"
import type { Kernel } from "../kernel.ts"
import { emitJs } from "./js.ts"
import { interpret, type Operand } from "./testing/interpret.ts"
import { randomKernel, randomNumbers } from "./testing/random-kernels.ts"

function run(kernel: Kernel, operands: readonly Operand[], out: Operand): Operand {
  new Function(emitJs(kernel))()(out, ...operands)
  return out
}
const copy = (x: Operand): Operand => x.slice()

describe("random kernels", () => {
  test("equal the interpreter bit for bit", () => {
    for (let seed = 1; seed <= 1500; seed++) {
      const { kernel, operands, out } = randomKernel(randomNumbers(seed))
      const want = copy(out)
      interpret(kernel, operands, want)
      const got = run(kernel, operands, copy(out))
      expect(got, `seed ${seed}\n${emitJs(kernel)}`).toEqual(want)
    }
  })
})
