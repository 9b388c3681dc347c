// Keys that are pressed while a network trains. They are read in raw mode, where the terminal neither shows them nor makes signals of them.
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { isatty, type ReadStream } from "node:tty"
import type { LiveView } from "./live.ts"

type Input = Pick<ReadStream, "on" | "off" | "resume" | "pause" | "setRawMode">

/** Ctrl-C and Ctrl-Z as raw mode gives them. */
const CTRL_C = "\x03"
const CTRL_Z = "\x1a"
/** What arrows, function keys and Alt with another key send. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they begin with one
const SEQUENCES = /\x1b(\[[0-?]*[ -/]*[@-~]|O.|.)?/gs

export interface KeyOptions {
  /** What keys do, by their characters; Ctrl-C must be one of them. Others do nothing. */
  readonly actions: Readonly<Record<string, () => void>>
  /** Before Ctrl-Z puts the process to sleep. */
  readonly asleep: () => void
  /** Whether keys come from now on. */
  readonly changed: (heard: boolean) => void
  readonly inForeground?: () => boolean
}

/** The standard input if keys come from it: nothing is read from files and pipes. */
const keyboard = (): Input | undefined => (isatty(0) ? process.stdin : undefined)

/**
 * Reads keys until `end`, which gives the terminal back as it was; so does the end of the process. A process in the background reads none:
 * the system would put it to sleep for that.
 */
export class Keys {
  private readonly options: KeyOptions
  private readonly input: Input
  private readonly inForeground: () => boolean
  private reading = false
  private readonly onData = (chunk: Buffer | string): void => {
    for (const key of chunk.toString("latin1").replace(SEQUENCES, "")) if (this.reading) this.press(key)
  }
  private readonly onContinue = (): void => {
    // whose terminal it is now is not known, so its mode is left alone
    this.rest()
    this.read()
  }
  private readonly onLost = (): void => {
    this.rest()
    this.options.changed(false)
  }
  private readonly onExit = (): void => this.leave()

  constructor(options: KeyOptions, input: Input) {
    this.options = options
    this.input = input
    this.inForeground = options.inForeground ?? inForeground
    for (const event of ["end", "error"]) input.on(event, this.onLost)
    process.on("SIGCONT", this.onContinue)
    process.on("exit", this.onExit)
    this.read()
  }

  /** Gives the terminal back. The process no longer waits for keys. */
  end(): void {
    this.leave()
    for (const event of ["end", "error"]) this.input.off(event, this.onLost)
    process.off("SIGCONT", this.onContinue)
    process.off("exit", this.onExit)
  }

  private press(key: string): void {
    if (key === CTRL_Z) this.sleep()
    else if (Object.hasOwn(this.options.actions, key)) this.options.actions[key]!()
  }

  private read(): void {
    if (this.inForeground()) {
      this.reading = true
      this.input.on("data", this.onData)
      this.input.resume()
      // off first: a shell may have changed the mode meanwhile, and Node would not set what it takes for set
      this.input.setRawMode(false)
      this.input.setRawMode(true)
    }
    this.options.changed(this.reading)
  }
  /** Reads no more; the mode of the terminal stays. */
  private rest(): void {
    this.reading = false
    this.input.off("data", this.onData)
    this.input.pause()
  }
  private leave(): void {
    if (!this.reading) return
    this.rest()
    this.input.setRawMode(false)
  }

  private sleep(): void {
    if (process.platform === "win32") return
    this.options.asleep()
    this.leave()
    // the stream stops reading a moment later only
    setImmediate(() => process.kill(process.pid, "SIGTSTP"))
  }
}

/** Whether the terminal that controls this process takes it for the one in front. */
function inForeground(): boolean {
  if (process.platform === "win32") return true
  try {
    const fields = readFileSync("/proc/self/stat", "utf8")
    const [, , group, , , front] = fields.slice(fields.lastIndexOf(")") + 2).split(" ")
    return group === front
  } catch {
    // no such file: macOS and the BSDs
    return spawnSync("ps", ["-o", "stat=", "-p", String(process.pid)], { encoding: "utf8" }).stdout?.includes("+") ?? false
  }
}

/** Whether a training waits until somebody lets it go on, or stops it. */
export class Pause {
  private waiting: Promise<void> | undefined
  private resume = (): void => {}
  /** A promise alone does not keep a process from ending: while it sleeps nothing else does. */
  private holding: NodeJS.Timeout | undefined
  constructor(signal: AbortSignal) {
    signal.addEventListener("abort", () => this.end(), { once: true })
  }
  get on(): boolean {
    return this.waiting !== undefined
  }
  /** What to wait for, if anything: the `pause` of `fit`. */
  readonly wait = (): Promise<void> | undefined => this.waiting
  toggle(): void {
    if (this.on) this.end()
    else {
      this.waiting = new Promise(resolve => (this.resume = resolve))
      this.holding = setInterval(() => {}, 60_000)
    }
  }
  end(): void {
    clearInterval(this.holding)
    this.waiting = undefined
    this.resume()
  }
}

export interface Steering {
  readonly view: LiveView
  readonly pause: Pause
  readonly signal: AbortSignal
  /** As if SIGINT had come. */
  readonly stop: () => void
}

/** The keys of the live view, if there is a keyboard. A training that waits goes on when no key can reach it any more. */
export function steer({ view, pause, signal, stop }: Steering, input = keyboard(), inForeground?: () => boolean): Keys | undefined {
  if (input === undefined) return undefined
  const toggle = (): void => {
    pause.toggle()
    view.tell(pause.on ? "paused" : "keys")
  }
  const actions = {
    [CTRL_C]: stop,
    // a second one is rather a mistake than the wish to lose what is being saved
    q: () => void (signal.aborted || stop()),
    " ": toggle,
    p: toggle,
    l: () => view.changeScale(),
  }
  const changed = (heard: boolean): void => {
    if (!heard) pause.end()
    view.tell(!heard ? "none" : pause.on ? "paused" : "keys")
  }
  return new Keys({ actions, changed, asleep: () => view.leave(), ...(inForeground && { inForeground }) }, input)
}
