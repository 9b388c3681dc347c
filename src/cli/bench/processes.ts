// Processes that measure, each alone: `run.ts` is what they run.
import { type ChildProcess, spawn } from "node:child_process"
import { extname } from "node:path"
import { fileURLToPath } from "node:url"
import { STOPPED } from "../errors.ts"

/** Runs one process after the other. Ctrl-C ends this one and the one that it waits for. */
export class Processes {
  private readonly run: string
  private child: ChildProcess | undefined

  /** `command` is the address of a command's file, beside whose folder `bench` `run.ts` lies, as source or built. */
  constructor(command: string) {
    this.run = fileURLToPath(new URL(`./bench/run${extname(command)}`, command))
    process.on("SIGINT", () => {
      this.child?.kill("SIGKILL")
      process.exit(STOPPED)
    })
  }

  /**
   * What `run.ts` prints with these arguments; `environment` decides about threads and the BLAS.
   *
   * @throws Error with what it said last, if it fails.
   */
  linesOf(args: readonly string[], environment: Readonly<Record<string, string>>, onLine?: (line: object) => void): Promise<object[]> {
    this.child = spawn(process.execPath, [...process.execArgv, "--no-warnings", this.run, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...environment },
    })
    return read(this.child, onLine)
  }
}

function read(child: ChildProcess, onLine?: (line: object) => void): Promise<object[]> {
  const lines: object[] = []
  let [text, errors] = ["", ""]
  child.stdout!.setEncoding("utf8").on("data", (chunk: string) => {
    const parts = `${text}${chunk}`.split("\n")
    text = parts.pop()!
    for (const part of parts) {
      const line = JSON.parse(part)
      lines.push(line)
      onLine?.(line)
    }
  })
  child.stderr!.setEncoding("utf8").on("data", (chunk: string) => {
    errors = `${errors}${chunk}`.slice(-4000)
  })
  return new Promise((done, failed) => {
    child.on("error", failed)
    child.on("close", (code, signal) => {
      if (code === 0) done(lines)
      else failed(new Error(errors.trim() || `the process ended by ${signal ?? `exit code ${code}`}`))
    })
  })
}
