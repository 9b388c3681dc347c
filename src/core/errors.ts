// Each message says what was wanted, what came, and what to do.
import { type Aval, show } from "./aval.ts"

/** Operands whose shapes do not fit an operation. */
export class ShapeError extends TypeError {
  override readonly name = "ShapeError"
  constructor(op: string, wanted: string, got: readonly Aval[]) {
    super(`${op}: ${wanted}; got ${got.map(show).join(", ") || "nothing"}`)
  }
}

/** Operands whose dtypes do not fit an operation. Dtypes never promote silently. */
export class DtypeError extends TypeError {
  override readonly name = "DtypeError"
  constructor(op: string, wanted: string, got: readonly Aval[]) {
    super(`${op}: ${wanted}; got ${got.map(show).join(", ")}. Convert with cast(x, dtype)`)
  }
}

/** A value traced by `grad`, `vmap` or `jit` that was kept after the transformation had finished. */
export class LeakedTracerError extends Error {
  override readonly name = "LeakedTracerError"
  constructor(a: Aval) {
    super(
      `a traced value ${show(a)} is used after the transformation that made it has finished; ` +
        "return it from the function instead of storing it in an outer variable",
    )
  }
}

/** The numbers of a value were asked for where there are none yet. */
export class TracedReadError extends TypeError {
  override readonly name = "TracedReadError"
  constructor(read: string, a: Aval) {
    super(
      `${read}: a traced value ${show(a)} has no numbers yet: inside jit, vmap or scan the function is recorded, not run. ` +
        "Choose with where or cond, loop with scan, look at numbers with tap(x, fn), or return the value and read it outside",
    )
  }
}

/** A tensor whose memory was given to the outputs of a jitted call. */
export class DonatedTensorError extends Error {
  override readonly name = "DonatedTensorError"
  constructor(a: Aval) {
    super(
      `a tensor ${show(a)} was donated to a jitted call and its memory holds that call's result now; ` +
        "use the returned tensor, or leave this argument out of `donate`",
    )
  }
}
