// The rows of a table for training: in memory, or left in their file. All else works on both alike.
import { statSync } from "node:fs"
import type { Table } from "../data/csv.ts"
import { encodeRows, OddCells } from "../data/encode.ts"
import { type Encoding, featureNames } from "../data/encoding.ts"
import { shuffle } from "../data/split.ts"
import { openTable } from "../data/table-file.ts"
import { openFile } from "../platform/node/byte-source.ts"
import { type Rows, rowsOf } from "../train.ts"

/** The rows of a table. */
export interface TableData {
  readonly name: string
  readonly columns: readonly string[]
  readonly rows: number
  /** The numbers of the rows in which it is seen what columns hold, in ascending order; absent where these are all rows. */
  readonly sampled?: Int32Array
  /** Bytes of inputs that are kept in memory; more are encoded anew whenever they are read. */
  readonly memory: number
  /** The rows in which it is seen what columns hold. */
  look(): Table
  /** The given rows, or all, in this order: one table after another. */
  blocks(rows?: Int32Array): Iterable<Block>
  /** The given rows, in this order. */
  read(rows: Int32Array): Block
}

export interface Block {
  readonly table: Table
  /** Those of its rows that are meant. */
  readonly rows: Int32Array
}

/** A table that is in memory as it is. */
export function inMemory(table: Table): TableData {
  const { name, columns, rows } = table
  const read = (chosen: Int32Array): Block => ({ table, rows: chosen })
  return { ...{ name, columns, rows, memory: Infinity, read }, look: () => table, blocks: (chosen = allOf(rows)) => [read(chosen)] }
}

/** MB that a table that is read whole, or inputs that are kept, may take. */
export const MEMORY = 512
/** How many times as much as its file a table of texts takes, about. */
export const WHOLE = 10

/** Rows that are drawn to see what columns hold, at most, and their cells: each takes some 40 bytes. */
const SAMPLE = { rows: 200_000, cells: 2_000_000 }

/** Bytes of the file that are read as one table, about. Batches of outputs are 1,000 rows, and end where blocks do. */
const [BLOCK, BATCH] = [1 << 22, 1000]

export interface FileOptions {
  readonly name: string
  readonly header?: boolean
  readonly encoding?: string
  /** Called with the share of the rows that a way through them has seen; 1 when it ends. */
  readonly watch?: (share: number) => void
}

/** A table that stays in its file. `memory`: bytes of inputs that may be kept. */
export async function inFile(path: string, { watch, ...options }: FileOptions, memory: number, sample = SAMPLE): Promise<TableData> {
  const file = await openTable(openFile(path), options)
  const { name, columns, rows } = file
  const each = Math.ceil((BLOCK * rows) / statSync(path).size / BATCH) * BATCH
  const most = Math.min(sample.rows, Math.ceil(sample.cells / columns.length))
  const sampled = rows > most ? shuffle(rows, 0, 0).slice(0, most).sort() : undefined
  const read = (chosen: Int32Array): Block => ({ table: file.readSync(chosen), rows: allOf(chosen.length) })
  return {
    ...{ name, columns, rows, memory, read },
    ...(sampled && { sampled }),
    look: () => file.readSync(sampled ?? allOf(rows)),
    *blocks(chosen) {
      const n = chosen?.length ?? rows
      try {
        for (let from = 0; from < n; from += each) {
          const to = Math.min(n, from + each)
          watch?.(from / n)
          yield read(chosen?.subarray(from, to) ?? Int32Array.from({ length: to - from }, (_, i) => from + i))
        }
      } finally {
        watch?.(1)
      }
    },
  }
}

const allOf = (rows: number): Int32Array => Int32Array.from({ length: rows }, (_, i) => i)

/** Where those of the given rows that are among the ones looked at stand there; `rows` in ascending order. */
export function seenOf({ sampled }: TableData, rows: Int32Array): Int32Array {
  if (sampled === undefined) return rows
  let next = 0
  const isAmong = (row: number): boolean => {
    while (next < rows.length && rows[next]! < row) next++
    return rows[next] === row
  }
  return allOf(sampled.length).filter(place => isAmong(sampled[place]!))
}

/** Rows as inputs, with their answers if asked for. */
export interface EncodedRows {
  readonly x: Rows
  /** [rows] class numbers, or standardised numbers. */
  readonly answers: Int32Array | Float32Array
  readonly warnings: readonly string[]
}

/**
 * Encodes rows and their answers as training did; each is looked at once, so that what is wrong with it is told at once. Inputs of a file
 * that take too much memory are encoded again when they are read.
 *
 * @throws DataError as `encode`.
 */
export function encoded(encoding: Encoding, data: TableData, rows: Int32Array = allOf(data.rows)): EncodedRows {
  const features = featureNames(encoding).length
  const isKept = rows.length * features * 4 <= data.memory
  let inputs: Float32Array = new Float32Array(isKept ? rows.length * features : 0)
  const answers = encoding.target.kind === "class" ? new Int32Array(rows.length) : new Float32Array(rows.length)
  const odd = new OddCells(encoding)
  let at = 0
  for (const block of data.blocks(rows)) {
    const { x, y } = encodeRows(encoding, block.table, block.rows, true, odd)
    if (x.length === inputs.length) inputs = x
    else if (isKept) inputs.set(x, at * features)
    answers.set(y!, at)
    at += block.rows.length
  }
  return { x: isKept ? rowsOf(inputs, [features]) : readAgain(encoding, data, rows, features), answers, warnings: odd.warnings() }
}

const readAgain = (encoding: Encoding, data: TableData, all: Int32Array, features: number): Rows => ({
  ...{ rows: all.length, shape: [features], dtype: "f32" },
  read(rows, into) {
    const block = data.read(rows.map(row => all[row]!))
    into.set(encodeRows(encoding, block.table, block.rows, false, new OddCells(encoding)).x)
  },
})
