import type { Finding } from "./health/finding.ts"

/** The loss was no longer a number. */
export class DivergedError extends Error {
  override readonly name = "DivergedError"
  /** Where it began and why, if that could be found out. */
  readonly finding: Finding | undefined
  constructor(message: string, finding?: Finding) {
    super(message)
    this.finding = finding
  }
}

export const diverged = (loss: number, step: number, epoch: number, found?: Finding): DivergedError =>
  new DivergedError(
    `the loss became ${loss} at step ${step} (epoch ${epoch}). ${found ? `${found.message} ${found.advice} ` : ""}` +
      "Usual remedies: a smaller learning rate, standardised inputs, a loss from logits instead of log(softmax(x)). " +
      "findOrigin(lossOf, [params, x, y]) of adjoint/explain names the first operation that made a NaN or an infinity, and its line",
    found,
  )
