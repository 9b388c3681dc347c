// Parts of sentences.
import type { Line } from "../source-line.ts"

export const at = (index: readonly number[]): string => (index.length ? ` at [${index.join(", ")}]` : "")
export const short = (x: number | undefined): string => (x === undefined ? "" : `${Number(x.toPrecision(6))}`)
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
export const listed = (names: readonly string[]): string =>
  names.length < 2 ? (names[0] ?? "") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`
/** A line of the user's program. */
export const placeOf = ({ file, line, column }: Line): string => `${file}:${line}:${column}`
