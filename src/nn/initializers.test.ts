import { expect, it } from "vitest"
import { random } from "../js.ts"
import { initializers } from "./index.ts"

const key = random.key(1)
const shape = [200, 100]
const variances = { glorot: 2 / 300, he: 2 / 200, lecun: 1 / 200 }
it.each(Object.entries(variances))("%s has its variance, uniform and normal", (name, variance) => {
  for (const form of ["Uniform", "Normal"] as const) {
    const init = initializers[`${name as keyof typeof variances}${form}`]
    const values = [...init(key, shape, { dtype: "f64" }).values()]
    const mean = values.reduce((a, b) => a + b, 0) / values.length
    const square = values.reduce((a, b) => a + b * b, 0) / values.length
    expect(Math.abs(mean)).toBeLessThan(0.03 * Math.sqrt(variance))
    expect(square / variance).toBeCloseTo(1, 1)
    if (form === "Uniform") expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(Math.sqrt(3 * variance))
  }
})
it("count the window of a convolution", () => {
  const limit = Math.sqrt(3 / (9 * 16))
  const values = [...initializers.lecunUniform(key, [3, 3, 16, 32]).values()]
  expect(Math.max(...values)).toBeLessThanOrEqual(limit)
  expect(Math.max(...values)).toBeGreaterThan(0.98 * limit)
  expect(() => initializers.he(key, [3])).toThrow("wants a shape [..., in, out]; got [3]")
})
