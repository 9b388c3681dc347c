// Files that are not what they should be, and random changes of sound ones: each reader says so by one class of error. No crash, no hang,
// no memory beyond a few times the file, no changed prototype, and no data where a length or a checksum says otherwise.
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { afterAll, describe, expect, test } from "vitest"
import { DataError, parseCsv, parseIdx, parseNdjson } from "../src/data.ts"
import {
  FormatError,
  type NpyArray,
  readNpy,
  readNpz,
  readSafetensors,
  type StoredTensor,
  writeNpy,
  writeNpz,
  writeSafetensors,
} from "../src/io.ts"
import { enough, LONG } from "./long.ts"
import { checkTable, moreReaders, type Reader } from "./malformed-readers.ts"
import { mutated, randomBelow } from "./mutations.ts"

const MUTATIONS = LONG ? 100_000 : 2_000
const mutationsOf = (reader: Reader): number => (LONG ? MUTATIONS : (reader.short ?? MUTATIONS))
const bytesOf = (text: string) => new TextEncoder().encode(text)
const be = (...words: number[]) => words.flatMap(word => [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255])

const elements = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1)
function checkArray({ dtype, shape, data }: NpyArray): number {
  const perElement = dtype.startsWith("c") ? 2 : 1
  if (!/^f[46]/.test(dtype) && elements(shape) * perElement !== data.length) throw new Error(`${dtype}[${shape}] with ${data.length}`)
  return data.byteLength
}
const key = ({ dtype, shape, data }: NpyArray) =>
  `${dtype}[${shape}] ${Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex")}`

const f32: StoredTensor = { dtype: "f32", shape: [2, 3], data: new Float32Array([1, 2, 3, 4, 5, 6]) }
const i64: StoredTensor = { dtype: "i64", shape: [2], data: new BigInt64Array([1n, -1n]) }
const zeros: StoredTensor = { dtype: "f64", shape: [200], data: new Float64Array(200) }
const packed = { a: f32, "b/c": i64, zeros }
const originals = new Set(Object.values(packed).map(key))

const named = (texts: Record<string, string>) => Object.entries(texts).map(([why, text]) => [why, bytesOf(text)] as const)
const readers: readonly Reader[] = [
  {
    name: "parseCsv",
    error: DataError,
    binary: false,
    sound: [bytesOf('id,name,__proto__\n1,"a ""b"",\nc",2\n2,,3\n'), bytesOf("a;b\r\n1,5;x\r\n2,5;y\r\n"), bytesOf("\uFEFFk\tv\n1\té\n")],
    read: bytes => checkTable(parseCsv(bytes)),
    malformed: [
      ...named({
        empty: "",
        blanks: " \n\n ",
        "a header alone": "a,b\n",
        "numbers for a header": "1,2\n3,4\n",
        "a short row": "a,b\n1\n",
        "a long row": "a,b\n1,2,3\n",
        "a name twice": "a,a\n1,2\n",
        "the same name but for blanks": "a, a\n1,2\n",
        "an open quote": 'a,b\n"1,2\n',
        "an open quote at the end": 'a,b\n1,"',
        "a quote within a cell": 'a,b\n1"2,3\n',
        "text behind a quote": 'a,b\n"1"2,3\n',
        "an open quote in the header": '"a,b\n1,2\n',
        "a byte 0": "a,b\n1,\0\n",
        "rows of nothing": "a,b\n,\n,\n",
        "a name that columns without one get": "column 2,\n1,2\n",
        "a short row behind quotes": 'a,b\n"1",2\n3\n',
        "a long row behind breaks": 'a,b\n"1\n2",2\n3,4,5\n',
      }),
      ["gzip", Uint8Array.of(0x1f, 0x8b, 8, 0)],
      ["a spreadsheet", Uint8Array.of(0x50, 0x4b, 3, 4, 0)],
      ["no UTF-8", Uint8Array.of(0x61, 0x0a, 0xe9, 0x0a)],
      ["a character cut off", Uint8Array.of(0x61, 0x0a, 0xe6, 0x97)],
      ["half a character", Uint8Array.of(0x61, 0x0a, 0xed, 0xa0, 0x80)],
      ["an overlong character", Uint8Array.of(0x61, 0x0a, 0xc0, 0x80)],
      ["UTF-16 of odd length", Uint8Array.of(0xff, 0xfe, 0x61, 0, 0x0a)],
      ["UTF-32", Uint8Array.of(0xff, 0xfe, 0, 0, 0x61, 0, 0, 0, 0x0a, 0, 0, 0, 0x31, 0, 0, 0)],
    ],
  },
  {
    name: "parseNdjson",
    error: DataError,
    binary: false,
    sound: [
      bytesOf('{"a":1,"b":"x\\n\\u00e9"}\n{"a":null,"c":true}\n'),
      bytesOf('{"__proto__":1,"constructor":"x"}\n{"__proto__":-2.5e3}\n'),
    ],
    read: bytes => checkTable(parseNdjson(bytes)),
    malformed: [
      ...named({
        empty: "",
        blanks: " \n\r\n",
        "no JSON": "a,b\n1,2",
        "JSON cut off": '{"a":1',
        "text cut off": '{"a":"x',
        "a list": "[1]",
        null: "null",
        "a number": "1",
        "a text": '"a"',
        true: "true",
        "a list in a field": '{"a":[1]}',
        "an object in a field": '{"a":{}}',
        "a prototype that is an object": '{"__proto__":{"polluted":1}}',
        "a name twice": '{"a":1,"a":2}',
        "a prototype twice": '{"__proto__":1,"__proto__":2}',
        "a name twice but for blanks": '{"a":1," a":2}',
        "two objects in a line": '{"a":1}{"a":2}',
        "an object over two lines": '{"a":\n1}',
        "a comma behind": '{"a":1,}',
        "single quotes": "{'a':1}",
        NaN: '{"a":NaN}',
        "a comment": '{"a":1} // one',
        "no fields": "{}",
        "deep lists": `{"a":${"[".repeat(100_000)}`,
        "deep objects": '{"a":'.repeat(100_000),
        "a control character": '{"a":"\u0001"}',
        "a byte 0": '{"a":1}\0',
        hexadecimal: '{"a":0x10}',
        "a leading zero": '{"a":01}',
        "a plus sign": '{"a":+1}',
        "no value": '{"a":}',
        "no name": "{:1}",
        "a stray brace": '{"a":1}\n}',
      }),
      ["no UTF-8", Uint8Array.of(0x7b, 0x22, 0xe9, 0x22, 0x7d)],
      ["gzip", Uint8Array.of(0x1f, 0x8b, 8, 0)],
    ],
  },
  {
    name: "parseIdx",
    error: DataError,
    binary: true,
    sound: [
      Uint8Array.of(0, 0, 8, 2, ...be(2, 3), 1, 2, 3, 4, 5, 6),
      Uint8Array.of(0, 0, 13, 1, ...be(2, 0x3f800000, 0x40000000)),
      Uint8Array.of(0, 0, 14, 1, ...be(1, 0x3ff00000, 0)),
    ],
    read(bytes) {
      const { shape, data } = parseIdx(bytes)
      if (elements(shape) !== data.length || 4 + 4 * shape.length + data.byteLength !== bytes.length) throw new Error("length")
      return data.byteLength
    },
    malformed: [
      ["another type", Uint8Array.of(0, 0, 10, 1, ...be(0))],
      ["no dimensions", Uint8Array.of(0, 0, 8, 0)],
      ["a first byte", Uint8Array.of(1, 0, 8, 1, ...be(0))],
      ["255 dimensions", Uint8Array.of(0, 0, 8, 255, ...be(1))],
      ["four billion elements", Uint8Array.of(0, 0, 14, 1, ...be(0xffffffff))],
      ["more elements than there are numbers", Uint8Array.of(0, 0, 14, 3, ...be(0xffffffff, 0xffffffff, 0xffffffff))],
      ["a byte behind", Uint8Array.of(0, 0, 8, 1, ...be(1), 7, 7)],
      ["gzip", Uint8Array.of(0x1f, 0x8b, 8, 0)],
    ],
  },
  {
    name: "readNpy",
    error: FormatError,
    binary: true,
    sound: [writeNpy(f32), writeNpy(i64), writeNpy({ dtype: "bool", shape: [], data: Uint8Array.of(1) })],
    read: bytes => checkArray(readNpy(bytes)),
    malformed: [["bytes behind", new Uint8Array([...writeNpy(f32), 0])]],
  },
  {
    name: "readNpz",
    error: FormatError,
    binary: true,
    sound: [writeNpz(packed), writeNpz(packed, { compressed: false })],
    read(bytes) {
      const arrays = Object.values(readNpz(bytes))
      for (const array of arrays) if (!originals.has(key(array))) throw new Error("an array that was never written")
      return arrays.reduce((n, array) => n + checkArray(array), 0)
    },
    malformed: [
      ["bytes in front", new Uint8Array([0, ...writeNpz(packed)])],
      ["bytes behind", new Uint8Array([...writeNpz(packed), 0])],
      ["text", bytesOf("PK")],
    ],
  },
  {
    name: "readSafetensors",
    error: FormatError,
    binary: true,
    sound: [writeSafetensors({ f32, i64 }, { made: "here" }), writeSafetensors({ zeros })],
    read(bytes) {
      const { tensors } = readSafetensors(bytes)
      if (Object.getPrototypeOf(tensors) !== null) throw new Error("a prototype")
      return Object.values(tensors).reduce((n, tensor) => n + checkArray(tensor), 0)
    },
    malformed: [["bytes behind", new Uint8Array([...writeSafetensors({ f32 }), 0])]],
  },
  ...moreReaders,
]

/** The verdict, after what no verdict excuses: another class of error, a second of time, memory beyond what the file says. */
async function verdict(reader: Reader, bytes: Uint8Array, most: number): Promise<"read" | "refused"> {
  const [time, memory] = [performance.now(), process.memoryUsage().arrayBuffers]
  let kept = 0
  let result: "read" | "refused" = "read"
  try {
    const reading = reader.read(bytes)
    kept = typeof reading === "number" ? reading : await reading
  } catch (error) {
    if (!(error instanceof reader.error)) throw error
    result = "refused"
  }
  const [took, used] = [performance.now() - time, process.memoryUsage().arrayBuffers - memory]
  if (took > 2000) throw new Error(`took ${took} ms`)
  if (kept > most || used > 2 * most + (1 << 20)) throw new Error(`${kept} bytes read, ${used} used, for a file of ${bytes.length}`)
  return result
}

const prototypes = [Object, Array, Map, Uint8Array, String].map(c => [c.prototype, Reflect.ownKeys(c.prototype).length] as const)
afterAll(() => {
  for (const [prototype, keys] of prototypes) expect(Reflect.ownKeys(prototype).length).toBe(keys)
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
})

/** Arrays in a sound file are at most so many bytes; in a packed one more than the file. */
const mostOf = (reader: Reader, sound: Uint8Array, bytes: Uint8Array) =>
  Math.max(bytes.length, reader.name === "readNpz" ? 2000 + sound.length : 0, reader.most ?? 0) + 8

describe.each(readers)("$name", reader => {
  const { sound, malformed, binary } = reader
  test("reads sound files", async () => {
    for (const bytes of sound) expect(await verdict(reader, bytes, mostOf(reader, bytes, bytes))).toBe("read")
  })
  test("refuses malformed ones", async () => {
    const wrong: string[] = []
    for (const [why, bytes] of malformed) if ((await verdict(reader, bytes, mostOf(reader, bytes, bytes))) !== "refused") wrong.push(why)
    expect(wrong).toEqual([])
  })
  test.runIf(binary)("refuses files that end early, at every byte", async () => {
    for (const bytes of sound)
      for (const n of enough(Array.from(bytes.keys()), reader.short === undefined ? bytes.length : 50))
        expect(await verdict(reader, bytes.slice(0, n), mostOf(reader, bytes, bytes))).toBe("refused")
  })
  test(`stands ${mutationsOf(reader)} mutations`, { timeout: 600_000 }, async () => {
    const n = mutationsOf(reader)
    const below = randomBelow(20)
    const seen = { read: 0, refused: 0 }
    for (let i = 0; i < n; i++) {
      const from = sound[i % sound.length]!
      const changed = mutated(from, below)
      const bytes = i % 2 && reader.mended ? reader.mended(changed) : changed
      try {
        seen[await verdict(reader, bytes, mostOf(reader, from, bytes))]++
      } catch (error) {
        throw new Error(`mutation ${i}, ${Buffer.from(bytes).toString("base64")}: ${error}`, { cause: error })
      }
    }
    // else nothing was tried
    expect(seen.refused).toBeGreaterThan(n / 20)
    expect(seen.read).toBeGreaterThan(0)
  })
})

test("at least 150 malformed files", () => {
  const early = readers.filter(({ binary }) => binary).flatMap(({ sound }) => sound.map(bytes => bytes.length))
  const written = readers.reduce((n, { malformed }) => n + malformed.length, 0)
  expect(written + early.reduce((a, b) => a + b)).toBeGreaterThan(150)
})

const material = "../shared/material"
const folders = [
  ["numpy/npy", ".npy", "readNpy"],
  ["numpy/npy", ".npz", "readNpz"],
  ["safetensors", ".safetensors", "readSafetensors"],
] as const
describe.skipIf(!existsSync(material))(`mutations of files by others (skipped where ${material} is absent)`, () => {
  test.each(folders)("%s/*%s", { timeout: 600_000 }, async (folder, ending, name) => {
    const files = readdirSync(`${material}/${folder}`).filter(file => file.endsWith(ending))
    const parse = { readNpy, readNpz, readSafetensors }[name]
    const read = (bytes: Uint8Array): number => {
      parse(bytes)
      return 0
    }
    const reader = { ...readers.find(reader => reader.name === name)!, read }
    const below = randomBelow(21)
    const sources = files.map(file => new Uint8Array(readFileSync(`${material}/${folder}/${file}`))).filter(bytes => bytes.length < 10_000)
    for (let i = 0; i < MUTATIONS; i++) {
      const bytes = mutated(sources[i % sources.length]!, below)
      await verdict(reader, bytes, Math.max(bytes.length, 1 << 16))
    }
  })
})
