// `adjoint.config.json` or `.ts`: every flag of a command as a key.
import { existsSync, readFileSync } from "node:fs"
import type { Command, Option } from "commander"
import { closest, listNames } from "../data/names.ts"
import { cannot } from "../platform/node/files.ts"
import { UsageError } from "./errors.ts"
import { channels, count, folds, names, notNegative, positive, seconds, seed, share, widths } from "./options.ts"
import { importFile } from "./user-module.ts"

/** Looked for in the folder where the command runs, in this order. */
const FILES = ["json", "ts", "mts", "js", "mjs"].map(ending => `adjoint.config.${ending}`)
/** Flags that say how the command runs, not what it does. */
const NO_KEYS = ["config", "resume", "debug", "help"]
/** Keys that say something about the file itself. */
const IGNORED = ["$schema", "adjoint"]

/**
 * Takes over what a configuration file says and the command line does not, each value checked as the flag's. `data` stands for the
 * argument. Returns it if the file names it, and the file's name if there is one.
 *
 * @throws UsageError for keys and values that make no sense, which names the key and what was wanted.
 */
export async function configure(command: Command, named?: string): Promise<{ readonly data?: string; readonly file?: string }> {
  const file = named ?? FILES.find(name => existsSync(name))
  if (file === undefined) return {}
  const { data, ...values } = await readConfig(file)
  if (data !== undefined && typeof data !== "string") throw wrong(file, "data", data, "the name of a file as text")
  apply(command, values, file)
  return { file, ...(data !== undefined && { data }) }
}

/** Sets the options of a command that were not given on the command line. */
export function apply(command: Command, values: Readonly<Record<string, unknown>>, file: string): void {
  const options = new Map(command.options.map(option => [option.attributeName(), option]))
  for (const name of NO_KEYS) options.delete(name)
  for (const [key, value] of Object.entries(values)) {
    if (IGNORED.includes(key)) continue
    const option = options.get(key)
    if (option === undefined) throw unknown(file, key, ["data", ...options.keys()])
    const read = readValue(file, key, value, option)
    if (command.getOptionValueSource(key) !== "cli") command.setOptionValueWithSource(key, read, "config")
  }
}

async function readConfig(file: string): Promise<Readonly<Record<string, unknown>>> {
  const value = file.endsWith(".json") ? parsed(file) : (await importFile(file)).default
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new UsageError(
      `${file} must ${file.endsWith(".json") ? "hold" : "export as its default"} an object of settings, such as { "epochs": 20 }.`,
    )
  return value as Record<string, unknown>
}

function parsed(file: string): unknown {
  let text: string
  try {
    text = readFileSync(file, "utf8")
  } catch (error) {
    throw cannot("read", file, error)
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new UsageError(`${file} is not JSON: ${(error as Error).message}.`)
  }
}

/** What a flag's text may be as a value of JSON. */
const NUMBERS: readonly unknown[] = [count, folds, notNegative, positive, seconds, seed, share]
const LAYERS: readonly unknown[] = [channels, widths]

function readValue(file: string, key: string, value: unknown, option: Option): unknown {
  const { parseArg, argChoices } = option
  if (option.isBoolean() || option.negate) {
    if (typeof value !== "boolean") throw wrong(file, key, value, "true or false")
    return value
  }
  if (parseArg === (names as unknown)) {
    if (!isList(value, "string")) throw wrong(file, key, value, 'a list of names, such as ["id", "date"]')
    return value
  }
  const text = textOf(value, parseArg)
  try {
    if (argChoices && !argChoices.includes(text ?? "")) throw new Error(`Wanted one of ${listNames(argChoices)}.`)
    if (parseArg) return parseArg(text ?? "", undefined)
  } catch (error) {
    const message = (error as Error).message.replace(/^Wanted |\.$/g, "")
    throw wrong(file, key, value, message)
  }
  if (text === undefined) throw wrong(file, key, value, "text")
  return text
}

/** The text that a flag would have; undefined for values of another kind, which no parser takes. */
function textOf(value: unknown, parser: unknown): string | undefined {
  if (NUMBERS.includes(parser)) return typeof value === "number" ? String(value) : undefined
  if (LAYERS.includes(parser))
    return isList(value, "number") ? (value as number[]).join(",") || "none" : value === "none" ? "none" : undefined
  return typeof value === "string" ? value : undefined
}

const isList = (value: unknown, type: string): boolean => Array.isArray(value) && value.every(x => typeof x === type)

const wrong = (file: string, key: string, value: unknown, wanted: string): UsageError =>
  new UsageError(`${file}: ${JSON.stringify(key)} is ${JSON.stringify(value)}; wanted ${wanted}.`)

function unknown(file: string, key: string, keys: readonly string[]): UsageError {
  const near = closest(key, keys)
  const hint = near === undefined ? `Keys are ${listNames(keys, keys.length)}.` : `Did you mean ${JSON.stringify(near)}?`
  return new UsageError(`${file}: there is no key ${JSON.stringify(key)}. ${hint}`)
}
