/** Whether tests run whole (`npm run test:long`) or in the short form of `npm test`, which leaves out repetitions alone. */
export const LONG = process.env.ADJOINT_LONG === "1"

/** All of `cases`, or in the short form `n` of them, from the first to the last at equal distances. */
export function enough<T>(cases: readonly T[], n: number): readonly T[] {
  const few = LONG ? cases.length : Math.min(n, cases.length)
  return Array.from({ length: few }, (_, i) => cases[Math.floor((i * cases.length) / few)]!)
}
