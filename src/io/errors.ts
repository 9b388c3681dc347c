/**
 * A file that is not what it should be: another format, a newer one, cut off, changed or damaged. The message alone tells the reader
 * what was wanted, what came and what to do; a command line prints it without a stack and ends with exit code 2.
 */
export class FormatError extends Error {
  override readonly name = "FormatError"
}
