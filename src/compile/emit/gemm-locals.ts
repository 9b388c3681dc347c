// Locals of a function by their names, and what all functions of the matrix product do with them.
import type { Code, Local, ValueType } from "./wasm-bytes.ts"

type Words<S> = S extends `${infer First} ${infer Rest}` ? First | Words<Rest> : S
const named = <S extends string>(names: S, local: (i: number) => Local): Record<Words<S>, Local> =>
  Object.fromEntries(names.split(" ").map((name, i) => [name, local(i)])) as Record<Words<S>, Local>

export const numbers = (n: number): ValueType[] => Array(n).fill("i32")
export const params = <S extends string>(names: S): Record<Words<S>, Local> => named(names, i => i)
export const integers = <S extends string>(code: Code, names: S): Record<Words<S>, Local> => named(names, () => code.local("i32"))

/** to = min(end - start, limit) */
export function setRest(code: Code, to: Local, end: Local, start: Local, limit: number): void {
  code.get(end, start).op("i32.sub").tee(to).i32(limit).get(to).i32(limit).op("i32.lt_s", "select").set(to)
}
/** base + i * stride, all of them locals. */
export const pushElement = (code: Code, base: Local, i: Local, stride: Local): Code => code.get(base, i, stride).op("i32.mul", "i32.add")

/** local += step */
export const move = (code: Code, local: Local, step: Local): Code => code.get(local, step).op("i32.add").set(local)
/** i rounded up to a multiple of a power of two. */
export const pushRounded = (code: Code, i: Local, to: number): Code =>
  code
    .get(i)
    .i32(to - 1)
    .op("i32.add")
    .i32(-to)
    .op("i32.and")

/** The bytes of a shuffle that takes whole words of 4 bytes: 0 to 3 from the first vector, 4 to 7 from the second. */
export const words = (picks: readonly number[]): number[] => picks.flatMap(w => [4 * w, 4 * w + 1, 4 * w + 2, 4 * w + 3])
