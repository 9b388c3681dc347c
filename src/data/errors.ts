/**
 * Input that cannot be used: a missing file, a stray cell, a column that is not there. The message alone tells the reader what was
 * wanted, what came, where (file, row, column) and what to do; a command line prints it without a stack and ends with exit code 2.
 *
 * @example
 * try { parseCsv("") } catch (e) { if (e instanceof DataError) console.error(e.message) }
 */
export class DataError extends Error {
  override readonly name = "DataError"
}
