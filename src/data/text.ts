import { type ByteSource, openBytes } from "./byte-source.ts"
import { DataError } from "./errors.ts"
import type { LazyDataset } from "./lazy.ts"
import { quote } from "./names.ts"

/** Characters as numbers, and back. */
export interface CharacterCodes {
  /** All different characters, sorted by code point; the number of each is its place. */
  readonly symbols: readonly string[]
  /** [characters] Throws `DataError` for a character that is not among the symbols. */
  encode(text: string): Int32Array
  /** Throws `RangeError` for a number that is no symbol's. */
  decode(codes: Iterable<number>): string
}

/**
 * Numbers for the characters of a text; a character is a code point of Unicode. `symbols` of another text are its characters again.
 *
 * @throws DataError for a text without characters.
 * @example
 * const codes = characters("banana")
 * codes.encode("nab")      // [2, 0, 1]
 * codes.decode([1, 0, 2])  // "ban"
 */
export function characters(text: string | Iterable<string>): CharacterCodes {
  const symbols = [...new Set(text)].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!)
  if (symbols.length === 0) throw new DataError("characters: the text is empty; wanted at least one character.")
  const numbers = new Map(symbols.map((symbol, i) => [symbol, i]))
  return {
    symbols,
    encode(text) {
      return Int32Array.from(text, symbol => {
        const number = numbers.get(symbol)
        if (number === undefined) throw new DataError(`The character ${quote(symbol)} is none of the ${symbols.length} that are known.`)
        return number
      })
    },
    decode(codes) {
      return Array.from(codes, code => {
        const symbol = symbols[code]
        if (symbol === undefined) throw new RangeError(`decode: wanted numbers from 0 to ${symbols.length - 1}, got ${code}.`)
        return symbol
      }).join("")
    },
  }
}

/** How a text is cut into windows. */
export interface WindowOptions {
  /** Characters in one window. */
  readonly length: number
  /** Characters from the beginning of one window to that of the next. Default: `length`. */
  readonly stride?: number
}

/** Windows of a text for `fit`, which takes them as they are, some of them by `slice`. */
export interface TextWindows extends LazyDataset {
  /** Windows `from` to before `to`; those of a part by position share no character with the rest where the stride is the length. */
  slice(from: number, to?: number): TextWindows
}

/**
 * Windows of a row of numbers, such as those of characters: window i begins at i * stride, and its answers are the same one place later.
 * Nothing is copied before it is asked for.
 *
 * @param codes [characters] numbers of one text
 * @returns examples x [length] and y [length], both i32
 * @throws TypeError for lengths that are no whole numbers; DataError for a text that is shorter than one window and its answer.
 * @example
 * const text = "to be, or not to be"
 * const codes = characters(text)
 * const windows = textWindows(codes.encode(text), { length: 4 })
 * const { x, y } = await windows.load(Int32Array.of(0), 1)
 * const shown = [windows.rows, codes.decode(x), codes.decode(y)]  // [4, "to b", "o be"]
 */
export function textWindows(codes: ArrayLike<number>, { length, stride = length }: WindowOptions): TextWindows {
  for (const [name, n] of Object.entries({ length, stride }))
    if (!Number.isSafeInteger(n) || n < 1) throw new TypeError(`textWindows: ${name} wants a whole number from 1; got ${n}`)
  const rows = Math.floor((codes.length - 1 - length) / stride) + 1
  if (rows < 1) throw new DataError(`The text has ${codes.length} characters; wanted ${length + 1}, a window and the character behind it.`)
  return windows(codes, length, stride, 0, rows)
}

function windows(codes: ArrayLike<number>, length: number, stride: number, first: number, rows: number): TextWindows {
  const form = { shape: [length], dtype: "i32" } as const
  return {
    ...{ rows, x: form, y: form },
    async load(wanted) {
      const [x, y] = [new Int32Array(wanted.length * length), new Int32Array(wanted.length * length)]
      for (let i = 0; i < wanted.length; i++) {
        const start = (first + wanted[i]!) * stride
        for (let k = 0; k < length; k++) {
          x[i * length + k] = codes[start + k]!
          y[i * length + k] = codes[start + k + 1]!
        }
      }
      return { x, y }
    },
    slice(from, to = rows) {
      if (!(Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= 0 && from < to && to <= rows))
        throw new RangeError(`slice: wanted some of the windows 0 to ${rows - 1}; got ${from} to before ${to}.`)
      return windows(codes, length, stride, first + from, to - from)
    },
  }
}

/** The numbers of a text's characters, four bytes for each, and the characters they stand for. */
export interface TextCodes {
  readonly codes: Int32Array
  readonly characters: CharacterCodes
}

/** Bytes that are read at a time. */
const PIECE = 1 << 20

/**
 * Reads a text in UTF-8 as numbers of its characters, piece by piece: it may be longer than the longest string.
 *
 * @param file a path (in Node), a `Blob` or `File`, or anything that reads bytes at a place
 * @throws DataError for a file that cannot be read, is empty, or is no UTF-8.
 * @example
 * const { codes, characters } = await readText(new Blob(["to be, or not to be"]))
 * characters.decode(codes.slice(0, 5))  // "to be"
 */
export async function readText(file: string | Blob | ByteSource, options: { readonly name?: string } = {}): Promise<TextCodes> {
  const source = await openBytes(file, options.name)
  try {
    const points = new Int32Array(source.size) // a character takes a byte at least
    const seen = new Set<number>()
    let n = 0
    for await (const piece of decoded(source, options.name ?? source.name))
      for (const symbol of piece) {
        points[n++] = symbol.codePointAt(0)!
        seen.add(points[n - 1]!)
      }
    const found = characters(Array.from(seen, point => String.fromCodePoint(point)))
    const numbers = new Map(found.symbols.map((symbol, i) => [symbol.codePointAt(0)!, i]))
    const codes = points.length === n ? points : points.slice(0, n)
    for (let i = 0; i < n; i++) codes[i] = numbers.get(codes[i]!)!
    return { codes, characters: found }
  } finally {
    source.close?.()
  }
}

async function* decoded(source: ByteSource, name: string): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true })
  const piece = new Uint8Array(Math.min(PIECE, source.size))
  for (let at = 0; at < source.size; at += piece.length) {
    const some = piece.subarray(0, Math.min(piece.length, source.size - at))
    await source.read(some, at)
    try {
      yield decoder.decode(some, { stream: at + some.length < source.size })
    } catch {
      throw new DataError(`${name} is not text in UTF-8 (about byte ${at}); save it in UTF-8.`)
    }
  }
  if (source.size === 0) throw new DataError(`${name} is empty; wanted a text.`)
}
