// `adjoint explain --attribution`: which columns or pixels an answer comes from.
import { fromArray } from "../core/concrete.ts"
import { encode } from "../data/encode.ts"
import { type Encoding, featureNames, type TargetColumn } from "../data/encoding.ts"
import { DataError } from "../data/errors.ts"
import { type Attributions, integratedGradients } from "../explain.ts"
import { writeFileAtomic } from "../platform/node/files.ts"
import { BatchReader } from "../train/rows.ts"
import { type Rows, rowsOf } from "../train.ts"
import { UsageError } from "./errors.ts"
import { openData, openImages } from "./open.ts"
import { checkShape, flat, type ImageEncoding } from "./problem.ts"
import { isImages, openModel, type Saved } from "./saved.ts"
import { columns, grouped, type Output, paint, show, widthOf } from "./terminal.ts"

export interface AttributionRequest {
  /** One row, from 0; else the mean of absolute values over rows. */
  readonly row?: number
  readonly steps?: number
  readonly html?: string
}

/** What one column, or pixel, contributes. */
export interface Share {
  readonly name: string
  /** As the cell has it; of one row only. */
  readonly value?: string
  /** In the unit of a number, or in logits of a class. */
  readonly attribution: number
}

/** What the attribution of one row, or of some, has to tell. */
export interface AttributionResult {
  readonly method: "integrated gradients"
  readonly target: string
  /** Of one row. */
  readonly row?: number
  readonly prediction?: string | number
  readonly output?: number
  readonly baseline?: number
  /** Over how many rows absolute values were averaged. */
  readonly rows?: number
  /** How far attributions are from adding up, at most. */
  readonly gap: number
  /** The largest first. */
  readonly columns?: readonly Share[]
  readonly image?: { readonly shape: readonly number[]; readonly pixels: readonly number[]; readonly attributions: readonly number[] }
}

/** Rows over which is averaged; more would change little. */
const MOST_ROWS = 1_000
/** Columns that are listed. */
const MOST_COLUMNS = 15
const BAR = 20

export async function attribute(dir: string, data: string, request: AttributionRequest, out: Output): Promise<void> {
  const saved = await openModel(dir)
  const inputs = await (isImages(saved.encoding) ? imagesFrom(saved.encoding, data) : rowsFrom(saved.encoding, data, out))
  const { row } = request
  if (row !== undefined && row >= inputs.x.rows)
    throw new UsageError(`--row ${row}: ${data} has ${inputs.x.rows} rows, 0 to ${inputs.x.rows - 1}.`)
  const chosen = row === undefined ? Int32Array.from({ length: Math.min(MOST_ROWS, inputs.x.rows) }, (_, i) => i) : Int32Array.of(row)
  const result = resultOf(saved, inputs, chosen, request)
  if (request.html !== undefined) {
    const { attributionPage } = await import("./page/attribution.ts")
    writeFileAtomic(request.html, new TextEncoder().encode(attributionPage(result, data)))
  }
  for (const line of linesOf(result, data, widthOf(process.stdout))) out.result(line)
  out.event({ event: "done", ...result })
}

interface Inputs {
  readonly x: Rows
  /** The cell of a column in a row. */
  readonly cell?: (name: string, row: number) => string
}

async function rowsFrom(encoding: Encoding, data: string, out: Output): Promise<Inputs> {
  // whole: of a table in its file some rows are looked at, and a row's number would be another one's
  const source = await openData(data, { memory: Infinity })
  if (source.kind === "images") throw new DataError(`The model was trained on rows of a table, but ${data} holds images.`)
  const table = source.data.look()
  const { x, features, warnings } = encode(encoding, table)
  for (const warning of warnings) out.warn(warning)
  return { x: rowsOf(x, [features]), cell: (name, row) => table.column(name)[row]! }
}

async function imagesFrom(encoding: ImageEncoding, data: string): Promise<Inputs> {
  const files = await openImages(data, encoding)
  if (files) return { x: flat(files) }
  const source = await openData(data)
  if (source.kind === "table") throw new DataError(`The model was trained on images, but ${data} is a table.`)
  const { pixels, shape } = source.test()
  checkShape(encoding, shape, data)
  return { x: flat({ pixels, shape, scale: encoding.scale }) }
}

function resultOf(
  { model, encoding }: Saved,
  { x, cell }: Inputs,
  chosen: Int32Array,
  { row, steps }: AttributionRequest,
): AttributionResult {
  const { array, aval } = new BatchReader(x).read(chosen)
  // the baseline of zeros is the mean of each number, no category, and a black image
  const found = integratedGradients(model, fromArray(array, aval), steps === undefined ? {} : { steps })
  const { target } = encoding
  // of standardised numbers back into their unit
  const unit = target.kind === "number" ? target.std : 1
  const width = array.length / chosen.length
  const each = (found.attributions.values() as Float32Array).map(a => a * unit)
  const of = (i: number): Float32Array => each.subarray(i * width, (i + 1) * width)
  const one = row === undefined ? undefined : oneRow(found, target)
  const all = one ? of(0) : meanOf(each, width, x => x)
  const gap = Math.max(...found.gap.map(g => Math.abs(g * unit)))
  const head = {
    method: "integrated gradients",
    target: target.name,
    ...(one ? { row: chosen[0]!, ...one } : { rows: chosen.length }),
    gap,
  } as const
  if (isImages(encoding)) {
    const image = {
      shape: encoding.shape,
      pixels: [...(one ? array : meanOf(array, width, x => x))],
      attributions: [...(one ? all : meanOf(each, width, Math.abs))],
    }
    return { ...head, image }
  }
  const byColumn = Float64Array.from({ length: encoding.inputs.length * chosen.length })
  for (const i of chosen.keys()) byColumn.set(columnSums(encoding, of(i)), i * encoding.inputs.length)
  const sums = one ? byColumn : meanOf(byColumn, encoding.inputs.length, Math.abs)
  const shares = encoding.inputs.map(
    ({ name }, k): Share => ({ name, ...(one && { value: cell!(name, row!) }), attribution: Number(sums[k]!.toPrecision(6)) }),
  )
  return { ...head, columns: shares.sort((a, b) => Math.abs(b.attribution) - Math.abs(a.attribution)) }
}

function oneRow({ targets, outputs, baselines }: Attributions, target: TargetColumn) {
  const own = (y: number): number => Number((target.kind === "number" ? y * target.std + target.mean : y).toPrecision(7))
  const [output, baseline] = [own(outputs[0]!), own(baselines[0]!)]
  return { prediction: target.kind === "class" ? target.values[targets[0]!]! : output, output, baseline }
}

/** Of a column that became several inputs, the sum of theirs: what the whole column contributes. */
function columnSums(encoding: Encoding, features: ArrayLike<number>): number[] {
  let at = 0
  return encoding.inputs.map(column => {
    let sum = 0
    for (const _ of featureNames({ ...encoding, inputs: [column] })) sum += features[at++]!
    return sum
  })
}

/** [width] the means over rows. */
function meanOf(values: ArrayLike<number>, width: number, of: (x: number) => number): Float64Array {
  const mean = new Float64Array(width)
  for (let i = 0; i < values.length; i++) mean[i % width]! += of(values[i]!) / (values.length / width)
  return mean
}

function linesOf(result: AttributionResult, data: string, width: number): string[] {
  const { row, rows, target, prediction, output, baseline, gap, columns: shares, image } = result
  const said =
    row === undefined
      ? `Mean absolute attributions over ${grouped(rows!)} ${rows === 1 ? "row" : "rows"} of ${data}, for the predicted ${target}`
      : typeof prediction === "number"
        ? `Row ${row} of ${data}: ${target} ${show(output!)}, at the baseline ${show(baseline!)}`
        : `Row ${row} of ${data}: ${target} ${prediction}, its output ${show(output!)}, at the baseline ${show(baseline!)}`
  const end = `The attributions add up but for ${gap.toExponential(1)}.`
  if (image) return [said, `${image.attributions.length} pixels; --html FILE draws them.`, end]
  const shown = shares!.slice(0, MOST_COLUMNS)
  const rest = shares!.slice(MOST_COLUMNS)
  const most = Math.max(...shown.map(s => Math.abs(s.attribution))) || 1
  const signed = (a: number): string => (row !== undefined && a > 0 ? `+${show(a)}` : show(a))
  const bar = (a: number): string => "█".repeat(Math.round((Math.abs(a) / most) * BAR))
  const cells = shown.map(({ name, value, attribution }) => [
    cut(name),
    ...(value === undefined ? [] : [cut(value)]),
    signed(attribution),
    bar(attribution),
  ])
  const head = ["column", ...(row === undefined ? [] : ["value"]), "attribution", ""]
  const [first, ...lines] = columns([head, ...cells], [0, head.length - 1]).map(line => line.slice(0, width))
  const others = rest.reduce((sum, s) => sum + s.attribution, 0)
  return [said, "", paint("dim", first!), ...lines, ...(rest.length ? [`${rest.length} other columns: ${signed(others)}`] : []), "", end]
}
const cut = (text: string): string => (text.length > 24 ? `${text.slice(0, 23)}…` : text)
