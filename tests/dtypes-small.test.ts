// Storage dtypes in a page on the small preset, which carries their formulas only where it calls `cast`. A file, hence a process, of its own.
import { expect, test } from "vitest"
import { cast, tensor } from "../src/js.ts"

test("the first cast brings what makes and reads numbers of 16 bits", () => {
  expect(tensor([1, 2], { dtype: "u8" }).toArray()).toEqual([1, 2])
  expect(() => tensor([1.5], { dtype: "f16" })).toThrow('call of cast before, or import "adjoint"')
  expect(cast(tensor([1.5]), "f16").toArray()).toEqual([1.5])
  expect(tensor([1.5], { dtype: "bf16" }).toArray()).toEqual([1.5])
})
