/** A network, an example or a weight's name that cannot be explained; the message names the place and says what was wanted. */
export class ProblemError extends TypeError {
  override readonly name = "ProblemError"
}
