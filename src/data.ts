/**
 * Tables, images and texts: CSV, NDJSON, Parquet, IDX, PNG and JPEG in, also from files larger than memory, typed arrays out, with an encoding that is saved with the model.
 * @module adjoint/data
 */
import "./preset/files.ts"

export type { ByteSource } from "./data/byte-source.ts"
export { type ColumnInfo, type ColumnType, type DateInfo, describeColumns, likelyTarget } from "./data/columns.ts"
export { type CsvOptions, parseCsv, type Table } from "./data/csv.ts"
export type { DateOrder } from "./data/dates.ts"
export { decodeTarget, type Encoded, type EncodeOptions, encode } from "./data/encode.ts"
export {
  type CategoryColumn,
  type DateColumn,
  type Encoding,
  featureNames,
  type InputColumn,
  type NumberColumn,
  readEncoding,
  type TargetColumn,
} from "./data/encoding.ts"
export { DataError } from "./data/errors.ts"
export { type FitOptions, fitEncoding } from "./data/fit.ts"
export { parseIdx } from "./data/idx.ts"
export type { ImageFile } from "./data/images/files.ts"
export { type Augment, type ImageExample, type ImageFolder, type ImageOptions, imageFolder } from "./data/images/folder.ts"
export type { TableOptions } from "./data/layout.ts"
export { datasetOf, type Example, type ExampleForms, examplesOf, type LazyDataset, type RowForm } from "./data/lazy.ts"
export { type NdjsonOptions, parseNdjson } from "./data/ndjson.ts"
export { type ParquetOptions, readParquet } from "./data/parquet/file.ts"
export { type DataRecord, type EncodedRecords, encodeRecords } from "./data/records.ts"
export { Sequence, type SequenceSource, type ShuffleOptions, sequence } from "./data/sequence.ts"
export { type Fold, kFold, type Split, type SplitOptions, shuffle, splitRows } from "./data/split.ts"
export { type Bytes, readRows, readTables } from "./data/stream-tables.ts"
export { openTable, type TableFile } from "./data/table-file.ts"
export {
  type CharacterCodes,
  characters,
  readText,
  type TextCodes,
  type TextWindows,
  textWindows,
  type WindowOptions,
} from "./data/text.ts"
