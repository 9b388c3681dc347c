// Numbers in and out of formulas.
import { tensor } from "../core/concrete.ts"
import type { Tensor } from "../core/tensor.ts"

/** A function of tensors at one number, in f64. */
export const number = (f: (x: Tensor) => Tensor, x: number): number => f(tensor(x, { dtype: "f64" })).item()

/** Seven significant digits, which is what the eye can compare: 0.8743521434846544 as `0.8743521`. */
export const digits = (x: number): string => `${Number(x.toPrecision(7))}`

/** A number as a part of a formula: negative ones in brackets. */
export const inFormula = (x: number): string => (x < 0 ? `(${digits(x)})` : digits(x))

/** Numbers multiplied: `-0.4 · 0.5 · (-1)`. */
export const inProduct = (xs: readonly number[], times: string): string => xs.map((x, i) => (i ? inFormula(x) : digits(x))).join(times)

/** A formula with numbers put in, without brackets that are not needed: `tanh((-1))` becomes `tanh(-1)`. */
export const tidy = (formula: string): string => formula.replace(/([(,] ?|^)\((-[\d.e+-]+)\)(?=[,)]|$)/g, "$1$2")

/**
 * df/dx by central differences of fourth order, (f(x-2h) - 8 f(x-h) + 8 f(x+h) - f(x+2h)) / 12h.
 *
 * The step h is 2^-12, or that share of a larger |x|: error of rounding about 1e-12 of f, of truncation much less. `f` gets the four
 * places at once.
 */
export function centralDifference(f: (xs: readonly number[]) => readonly number[], x: number): number {
  const h = Math.max(1, Math.abs(x)) / 4096
  const [a, b, c, d] = f([x - 2 * h, x - h, x + h, x + 2 * h]) as [number, number, number, number]
  return (8 * (c - b) - (d - a)) / (12 * h)
}
