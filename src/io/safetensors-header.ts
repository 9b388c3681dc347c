import { FormatError } from "./errors.ts"

/** One tensor as the header of a safetensors file describes it, its offsets not yet checked against others or the file. */
export interface HeaderEntry {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

/**
 * Parses the header of a safetensors file.
 *
 * @throws FormatError if it is not the JSON that the format asks for.
 */
export function parseHeader(bytes: Uint8Array): { entries: HeaderEntry[]; metadata: Readonly<Record<string, string>> } {
  if (bytes[0] !== 0x7b) throw broken("it does not begin with {")
  let text: string
  let header: Record<string, unknown>
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes)
    header = JSON.parse(text)
  } catch (error) {
    throw broken(`it is not JSON in UTF-8 (${(error as Error).message.slice(0, 80)})`)
  }
  checkTokens(text)
  const metadata: Record<string, string> = Object.create(null)
  const entries: HeaderEntry[] = []
  for (const [name, value] of Object.entries(header)) {
    const shown = JSON.stringify(name.slice(0, 80))
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw broken(`${shown} is not an object`)
    if (name === "__metadata__") Object.assign(metadata, checkMetadata(value))
    else entries.push(entryOf(name, shown, value as Record<string, unknown>))
  }
  return { entries, metadata }
}

function entryOf(name: string, shown: string, { dtype, shape, data_offsets: offsets }: Record<string, unknown>): HeaderEntry {
  if (typeof dtype !== "string") throw broken(`${shown} has no dtype`)
  if (!isSizes(shape)) throw broken(`the shape of ${shown} is not a list of whole numbers`)
  if (!isSizes(offsets) || offsets.length !== 2) throw broken(`the data_offsets of ${shown} are not two whole numbers`)
  return { name, dtype, shape, begin: offsets[0]!, end: offsets[1]! }
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(size => Number.isSafeInteger(size) && size >= 0)
}

function checkMetadata(value: object): object {
  if (Object.values(value).some(item => typeof item !== "string")) throw broken("its __metadata__ holds something other than strings")
  return value
}

/**
 * Checks what JSON.parse forgives: a name twice in one object, of which it keeps the last, and numbers such as 4e0 or -0. The text is
 * known to be JSON, so its tokens can be told apart by their first characters.
 */
function checkTokens(text: string): void {
  const open: (Set<string> | undefined)[] = [] // the names so far in each enclosing object; undefined for a list
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"(?:\s*:)?|[{}[\]]|-?\d[^\s,\]}]*/g)) {
    if (token === "{") open.push(new Set())
    else if (token === "[") open.push(undefined)
    else if (token === "}" || token === "]") open.pop()
    else if (token[0] !== '"') {
      if (!/^\d+$/.test(token)) throw broken(`it holds ${token.slice(0, 40)}; wanted whole numbers in plain digits`)
    } else {
      const isName = token.endsWith(":")
      const string: string = JSON.parse(isName ? token.slice(0, -1) : token)
      if (/\p{Surrogate}/u.test(string)) throw broken("it holds text that is not well-formed Unicode")
      if (!isName) continue
      const names = open.at(-1)!
      if (names.has(string)) throw broken(`it names ${JSON.stringify(string.slice(0, 80))} twice`)
      names.add(string)
    }
  }
}

function broken(why: string): FormatError {
  return new FormatError(`This is not a sound safetensors file: something is wrong with its header: ${why}. Save or download it again.`)
}
