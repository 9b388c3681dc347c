// How a command ends when it cannot do its work. Errors are told apart by name: their classes would load what they belong to.
import { paint } from "./terminal.ts"

/** A combination of arguments that makes no sense. */
export class UsageError extends Error {
  override readonly name = "UsageError"
}

/** The exit codes after Ctrl-C and SIGTERM, as shells have them: 128 and the signal's number. */
export const STOPPED = 130
export const TERMINATED = 143

/** Ctrl-C or SIGTERM before there was anything to keep. */
export class StoppedError extends Error {
  override readonly name = "StoppedError"
  readonly exitCode: number
  constructor(message: string, exitCode = STOPPED) {
    super(message)
    this.exitCode = exitCode
  }
}

/** 1: it failed; 2: the arguments or the data were wrong; 0: commander ends --help and --version by an error too. */
export function exitCodeOf(error: unknown): number {
  const { name, exitCode, code } = error as { name?: string; exitCode?: number; code?: string }
  if (name === "CommanderError" || name === "InvalidArgumentError") return exitCode === 0 ? 0 : 2
  if (code === "commander.help") return 2
  if (name === "StoppedError") return exitCode ?? STOPPED
  return ["DataError", "FormatError", "UsageError"].includes(name ?? "") ? 2 : 1
}

export interface ReportOptions {
  readonly json: boolean
  /** Whether to print the stack of an error that is no fault of the user's. */
  readonly debug: boolean
  /** Whether its message is on the terminal already. */
  readonly told: boolean
}

/** Tells people on standard error what went wrong, and programs on standard output. */
export function report(error: unknown, { json, debug, told }: ReportOptions): void {
  const message = messageOf(error)
  if (json) process.stdout.write(`${JSON.stringify({ event: "error", message, code: exitCodeOf(error) })}\n`)
  if (!told) process.stderr.write(`${paint("red", "error:", process.stderr)} ${message}\n`)
  if (exitCodeOf(error) !== 1) return
  if (debug) process.stderr.write(`${(error as Error).stack ?? String(error)}\n`)
  else if (!isExpected(error)) process.stderr.write("This should not happen. With --debug it shows where; please report it.\n")
}

const isExpected = (error: unknown): boolean => (error as Error).name === "DivergedError" || isOutOfMemory(error)

function messageOf(error: unknown): string {
  if (isOutOfMemory(error)) {
    return `out of memory (${(error as Error).message}). Use narrower layers (--hidden), smaller batches (--batch-size) or fewer rows.`
  }
  return error instanceof Error ? error.message.replace(/^error: /, "") : String(error)
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof RangeError && /memory|allocation|invalid (typed )?array (buffer )?length/i.test(error.message)
}
