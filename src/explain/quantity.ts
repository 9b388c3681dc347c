// How quantities are put together.
import { inProduct } from "./digits.ts"
import type { Factor, Quantity, Term } from "./network-explanation.ts"

/** As many terms of a sum as are shown. */
export const MOST_TERMS = 6

/** A derivative beside its measurement. */
export const measured = (quantity: Quantity, check: number): Factor => ({
  ...quantity,
  check,
  difference: Math.abs(quantity.value - check),
})

/** One term of a sum: `w1·x1` and `0.5·0.1`. */
export const product = (symbols: readonly string[], values: readonly number[]): Term => ({
  formula: symbols.join("·"),
  numbers: inProduct(values, "·"),
  value: values.reduce((a, b) => a * b, 1),
})

/** Terms as they come if all are shown, or the large ones first. */
type Order = "in order" | "largest first"

/** A sum with its terms; of a long one the largest. */
export function sumOf(symbol: string, all: readonly Term[], value: number, order: Order): Quantity {
  const sorted = [...all].sort((a, b) => Math.abs(b.value) - Math.abs(a.value))
  const shown = order === "in order" && all.length <= MOST_TERMS ? all : sorted.slice(0, MOST_TERMS)
  const left = sorted.slice(MOST_TERMS)
  const write = (part: (t: Term) => string): string =>
    [...shown.map(part), ...(left.length ? ["..."] : [])].join(" + ").replaceAll("+ -", "- ")
  return {
    symbol,
    formula: write(t => t.formula),
    numbers: write(t => t.numbers),
    value,
    terms: shown,
    ...(left.length > 0 && { rest: { count: left.length, value: left.reduce((total, t) => total + t.value, 0) } }),
  }
}
