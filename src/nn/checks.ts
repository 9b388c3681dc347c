// What layers have in common to say about wrong options; `kind` is the layer's.

function want(kind: string, what: string, x: unknown, wanted: string, fits: boolean): void {
  if (!fits) throw new TypeError(`${kind}: ${what} must be ${wanted}; got ${typeof x === "number" ? x : JSON.stringify(x)}`)
}

/** Throws TypeError unless `x` counts something. */
export const wantWidth = (kind: string, what: string, x: unknown): void =>
  want(kind, what, x, "a whole number >= 1", Number.isInteger(x) && (x as number) >= 1)

/** Throws TypeError unless `x` is a number that `fits`. */
export const wantNumber = (kind: string, what: string, x: unknown, wanted: string, fits: (x: number) => boolean): void =>
  want(kind, what, x, wanted, typeof x === "number" && fits(x))
/** Throws TypeError unless `x` is a positive number. */
export const wantPositive = (kind: string, what: string, x: unknown): void => wantNumber(kind, what, x, "a number > 0", x => x > 0)

/** Throws TypeError unless `x` is true or false. */
export const wantFlag = (kind: string, what: string, x: unknown): void => want(kind, what, x, "true or false", typeof x === "boolean")
/** Throws TypeError unless `x` is one of `known`. */
export const wantOneOf = (kind: string, what: string, x: unknown, known: readonly string[]): void =>
  want(kind, what, x, known.map(k => JSON.stringify(k)).join(" or "), known.includes(x as string))
/** Throws TypeError unless `x` is a dtype that parameters may have. */
export const wantFloat = (kind: string, x: unknown): void => wantOneOf(kind, "dtype", x, ["f32", "f64"])
