// Checks of options.

/** Throws TypeError unless `x` is a number that `fits`. */
export function wantNumber(rule: string, name: string, x: unknown, wanted: string, fits: (x: number) => boolean): void {
  if (typeof x !== "number" || !fits(x)) throw new TypeError(`${rule}: \`${name}\` must be ${wanted}; got ${JSON.stringify(x)}`)
}
export const wantPositive = (rule: string, name: string, x: unknown): void =>
  wantNumber(rule, name, x, "a number > 0", x => x > 0 && Number.isFinite(x))
export const wantCount = (rule: string, name: string, x: unknown, least = 1): void =>
  wantNumber(rule, name, x, `a whole number from ${least}`, x => Number.isInteger(x) && x >= least)
export const wantShare = (rule: string, name: string, x: unknown): void =>
  wantNumber(rule, name, x, "a number from 0 to 1", x => x >= 0 && x <= 1)
