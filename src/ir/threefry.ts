import { constant, type Expr, op } from "./expr.ts"

const i32 = (x: number): Expr => constant("i32", x | 0)
const rotations = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const

/**
 * Threefry-2x32 with 20 rounds: two words from a key and a counter of two words each, a random function of the counter.
 * Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 */
export function threefry([k0, k1]: readonly [Expr, Expr], [c0, c1]: readonly [Expr, Expr]): readonly [Expr, Expr] {
  const keys = [k0, k1, op("xor", op("xor", k0, k1), i32(0x1bd11bda))]
  let a = op("add", c0, k0)
  let b = op("add", c1, k1)
  for (let group = 0; group < 5; group++) {
    for (const r of rotations[group % 2]!) {
      a = op("add", a, b)
      b = op("xor", op("or", op("shl", b, i32(r)), op("shr", b, i32(32 - r))), a)
    }
    a = op("add", a, keys[(group + 1) % 3]!)
    b = op("add", op("add", b, keys[(group + 2) % 3]!), i32(group + 1))
  }
  return [a, b]
}
