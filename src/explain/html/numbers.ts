// Numbers as pages show them: with the sign of minus, which is read out as such.
import { digits } from "../digits.ts"
import type { Count, Rest } from "../explanation.ts"
import { say } from "../messages/index.ts"
import { spaced } from "../text.ts"

export const number = (x: number): string => digits(x).replaceAll("-", "−")
/** With + too: contributions to a sum. */
export const signed = (x: number): string => `${x > 0 ? "+" : ""}${number(x)}`
/** In four digits, where little room is. */
export const short = (x: number): string => signed(Number(x.toPrecision(4)))
/** A count for little room: 1234567 as 1 234 567, what is much larger as 1.235e15. */
export const fewDigits = (count: Count): string =>
  `${count}`.length < 10 ? spaced(count) : Number(count).toExponential(3).replace("+", "")
export const pathsOf = ({ count }: Pick<Rest, "count">): string => say.page.paths(spaced(count))

/** Classes and lines tell signs apart. */
export type Sign = "pos" | "neg" | "zero"
export const signOf = (x: number): Sign => (x > 0 ? "pos" : x < 0 ? "neg" : "zero")
