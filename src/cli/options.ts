// Options that several commands have, and how their values are read.
import { type Command, InvalidArgumentError, Option } from "commander"

/** Options of every command. */
export interface CommonOptions {
  readonly json?: boolean
  readonly quiet?: boolean
}

/** Adds the options that every command has, and examples below its help. */
export function withCommon(command: Command, examples: readonly (readonly [line: string, meaning: string])[]): Command {
  const width = Math.max(...examples.map(([line]) => line.length))
  const lines = examples.map(([line, meaning]) => `  ${line.padEnd(width)}  ${meaning}`)
  return command
    .option("--json", "print one event a line as JSON, the result last")
    .option("--quiet", "print the result only")
    .addOption(new Option("--debug", "print where an internal error happened").hideHelp())
    .addHelpText("after", `\nExamples:\n${lines.join("\n")}`)
}

/** What `--encoding` says of itself where a model remembers one. */
export const ENCODING = "what the table is written in, such as windows-1252 (default: as in the training)"

/** What `--memory` says of itself where nothing is learned. */
export const MEMORY_FLAG = "a table that would take more MB is read part by part (default: 512)"

function number(text: string, wanted: string, fits: (value: number) => boolean): number {
  const value = text.trim() === "" ? Number.NaN : Number(text)
  if (!fits(value)) throw new InvalidArgumentError(`Wanted ${wanted}.`)
  return value
}

export const whole = (text: string): number => number(text, "a whole number from 0", x => Number.isSafeInteger(x) && x >= 0)
export const seed = whole
export const count = (text: string): number => number(text, "a whole number from 1", x => Number.isSafeInteger(x) && x >= 1)
export const folds = (text: string): number => number(text, "a whole number from 2", x => Number.isSafeInteger(x) && x >= 2)
export const port = (text: string): number => number(text, "a port from 0 to 65535", x => Number.isInteger(x) && x >= 0 && x <= 65535)
export const positive = (text: string): number => number(text, "a number above 0", x => x > 0 && Number.isFinite(x))
export const notNegative = (text: string): number => number(text, "a number from 0", x => x >= 0 && Number.isFinite(x))
export const seconds = (text: string): number => number(text, "seconds, from 0", x => x >= 0)
export const share = (text: string): number => number(text, "a share from 0 to below 1, such as 0.2", x => x >= 0 && x < 1)

/** Whole numbers between commas: `1,32`. */
export const counts = (text: string): number[] => text.split(",").map(count)

const layers =
  (wanted: string) =>
  (text: string): number[] => {
    if (text === "none" || text === "0") return []
    return text.split(",").map(part => number(part, wanted, x => Number.isSafeInteger(x) && x >= 1 && x <= 1_000_000))
  }
/** Widths of hidden layers: `64,32`, or `none`. */
export const widths = layers('widths such as 64,32, or "none"')
/** Channels of convolutions: `16,32`, or `none`. */
export const channels = layers('channels such as 16,32, or "none"')

/** Height and width of images: `32x48`, or `32` for both. */
export function imageSize(text: string): string {
  const [, height, width = height] = /^([1-9]\d{0,3})(?:x([1-9]\d{0,3}))?$/.exec(text) ?? []
  if (height === undefined) throw new InvalidArgumentError("Wanted pixels such as 32x32, or 32.")
  return `${height}x${width}`
}

/** Names between commas; may be given several times. */
export const names = (text: string, before: readonly string[] = []): string[] => [
  ...before,
  ...text
    .split(",")
    .map(name => name.trim())
    .filter(name => name !== ""),
]
