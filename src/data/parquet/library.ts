// Parquet is read by hyparquet, and its rarer compressions by hyparquet-compressors: installed by those who have such files.
import { DataError } from "../errors.ts"

/** A decompressor: what a page holds, and how long its header says that it is. */
export type Decompress = (input: Uint8Array, length: number) => Uint8Array

/** What is used of hyparquet. Pages are read one by one, so that each can be looked at before memory is taken for it. */
export async function loadHyparquet() {
  // within `try`, bundlers let a package be missing
  try {
    const [main, column, convert, delta] = await Promise.all([
      import("hyparquet"),
      import("hyparquet/src/column.js"),
      import("hyparquet/src/convert.js"),
      import("hyparquet/src/delta.js"),
    ])
    return {
      parquetMetadata: main.parquetMetadata,
      parquetSchema: main.parquetSchema,
      snappyUncompress: main.snappyUncompress,
      parquetHeader: column.parquetHeader,
      readPage: column.readPage,
      convert: convert.convert,
      defaults: convert.DEFAULT_PARSERS,
      deltaBinaryUnpack: delta.deltaBinaryUnpack,
    }
  } catch (error) {
    throw missing("Parquet files are read by the package hyparquet, which is not installed.", "hyparquet", error)
  }
}
export type Hyparquet = Awaited<ReturnType<typeof loadHyparquet>>

/**
 * How pages of a compression are unpacked.
 *
 * @throws DataError for one that nothing here unpacks.
 */
export async function decompressorOf(codec: string, name: string, library: Hyparquet): Promise<Decompress> {
  if (codec === "UNCOMPRESSED") return input => input
  if (codec === "SNAPPY") {
    return (input, length) => {
      const output = new Uint8Array(length)
      library.snappyUncompress(input, output)
      return output
    }
  }
  const { compressors } = await loadCompressors(codec, name)
  const found = (compressors as Readonly<Record<string, Decompress>>)[codec]
  if (found === undefined)
    throw new DataError(`${name} is compressed with ${codec}, which cannot be read. Write it with snappy, zstd, gzip, brotli or lz4.`)
  return found
}

async function loadCompressors(codec: string, name: string) {
  try {
    return await import("hyparquet-compressors")
  } catch (error) {
    throw missing(
      `${name} is compressed with ${codec}, which the package hyparquet-compressors unpacks; it is not installed.`,
      "hyparquet-compressors",
      error,
    )
  }
}

function missing(what: string, name: string, cause: unknown): DataError {
  return Object.assign(new DataError(`${what} Install it with: npm install ${name}`), { cause })
}
