// How values of Parquet become the texts of cells.
import { DataError } from "../errors.ts"
import type { ParquetColumn } from "./footer.ts"
import type { Hyparquet } from "./library.ts"

type Parsers = Hyparquet["defaults"]

/** Those of the library, with dates and times as ISO 8601 and JSON as it stands. */
export function parsersFor(element: ParquetColumn["element"], defaults: Parsers): Parsers {
  const { logical_type: logical } = element
  // a time without a zone is not one of Greenwich
  const zone = logical?.type === "TIMESTAMP" && logical.isAdjustedToUTC === false ? "" : "Z"
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
  const text = (bytes: Uint8Array | undefined) => bytes && utf8.decode(bytes)
  const time = (digits: number) => (units: bigint) => instant(BigInt(units), digits, zone)
  const own = {
    dateFromDays: (days: number) => new Date(days * 86_400_000).toISOString().slice(0, 10),
    timestampFromMilliseconds: time(3),
    timestampFromMicroseconds: time(6),
    timestampFromNanoseconds: time(9),
    stringFromBytes: text,
    jsonFromBytes: text,
  }
  return { ...defaults, ...own } as unknown as Parsers
}

/** Whole units of 10^-digits seconds since 1970 as ISO 8601, with all digits of the fraction unless it is 0. */
function instant(units: bigint, digits: number, zone: string): string {
  const second = 10n ** BigInt(digits)
  const fraction = ((units % second) + second) % second
  const date = new Date(Number((units - fraction) / second) * 1000).toISOString().slice(0, -5)
  return `${date}${fraction === 0n ? "" : `.${String(fraction).padStart(digits, "0")}`}${zone}`
}

/**
 * A column's values as cells: numbers in digits that give the same number again, missing ones as empty text.
 *
 * @throws DataError for values that are bytes or structures.
 */
export function cellsOf(values: readonly unknown[], { name, element }: ParquetColumn, file: string): string[] {
  const isDecimal = element.converted_type === "DECIMAL" || element.logical_type?.type === "DECIMAL"
  const number = isDecimal ? (x: number) => String(Number(x.toPrecision(15))) : element.type === "FLOAT" ? shortest : String
  return values.map(value => {
    if (value === undefined || value === null) return ""
    if (typeof value === "number") return number(value)
    if (typeof value === "string") return value.trim()
    if (typeof value === "bigint" || typeof value === "boolean") return String(value)
    throw new DataError(`${file}: column ${JSON.stringify(name)} holds bytes or structures; wanted numbers, texts, dates or flags.`)
  })
}

/** 0.1 of 32 bits is 0.10000000149011612 in 64. */
function shortest(x: number): string {
  const short = Number(x.toPrecision(7))
  return String(Math.fround(short) === x ? short : Number(x.toPrecision(9)))
}
