// What an editor is told of a written module.
import type { InputColumn, TargetColumn } from "../data/encoding.ts"
import type { Description } from "./description.ts"

/** The module's functions as TypeScript declares them: rows by their columns, classes by their names. */
export function declarations(d: Description): string {
  const { info, encoding, training } = d
  return [
    `// ${info.name}: written by adjoint ${info.adjoint}.`,
    INFO,
    rowOf(d),
    ...(encoding ? [answerOf(encoding.target), ANSWERS] : [PREDICT]),
    OUTPUTS.replace("N numbers", `${d.x.size} numbers`),
    ...(training ? [targetOf(d), STEPS.replace("BATCHES", training.steps.map(s => s.rows).join(" or "))] : []),
  ].join("\n")
}

const INFO = `/** What the module is. */
export declare const info: {
  readonly name: string
  readonly adjoint: string
  readonly inShape: readonly number[]
  readonly outShape: readonly number[]
  readonly parameters: number
  readonly columns?: readonly string[]
  readonly target?: string
  readonly classes?: readonly string[]
  readonly trainable?: { readonly batchSizes: readonly number[]; readonly optimizer: unknown }
}`

const PREDICT = `/** What the model gives for rows that follow each other: as many numbers as \`info.outShape\` has elements for each row. */
export declare function predict(x: Row): Float32Array
/** The same, row by row. */
export declare function predict(x: readonly Row[]): Float32Array[]`

const ANSWERS = `/** The answer to a row. Throws where a value is not what the model was trained on, and says which. */
export declare function predict(row: Row): Answer
/** The answers to rows. */
export declare function predict(rows: readonly Row[]): Answer[]`

const OUTPUTS = `/** What the last layer gives for inputs as the network sees them, N numbers a row: logits, or a standardised number. */
export declare function outputs(x: ArrayLike<number>): Float32Array
export declare function outputs(x: readonly ArrayLike<number>[]): Float32Array[]`

const STEPS = `/** Learns from BATCHES rows with their answers; the result is their mean loss before the step. */
export declare function step(x: Row | readonly Row[], y: Target | readonly Target[] | ArrayLike<number>): number
/** All that has been learned, the optimizer's state included. */
export declare function save(): Uint8Array
/** Goes on from what \`save\` gave. Throws for bytes that are damaged or of another model, and changes nothing then. */
export declare function load(bytes: Uint8Array): void`

function rowOf({ encoding, x }: Description): string {
  if (encoding && "inputs" in encoding) return `export interface Row {\n${encoding.inputs.map(cellOf).join("\n")}\n}`
  const what = encoding ? `Pixels of an image of ${encoding.shape.join(" x ")}, row after row.` : `${x.size} numbers.`
  return `/** ${what} */\nexport type Row = ArrayLike<number>`
}
const cellOf = ({ name, kind }: InputColumn): string =>
  `  readonly ${JSON.stringify(name)}: ${kind === "number" ? "number | string | null" : kind === "date" ? "string | null" : "string | number | boolean | null"}`

const union = (names: readonly string[]): string => names.map(name => JSON.stringify(name)).join(" | ")
const answerOf = (target: TargetColumn): string =>
  target.kind === "number"
    ? "export interface Answer {\n  readonly prediction: number\n}"
    : `export type Class = ${union(target.values)}
export interface Answer {
  readonly prediction: Class
  readonly probabilities: { readonly [name in Class]: number }
}`

function targetOf({ encoding, training }: Description): string {
  if (!encoding) return `/** The answer to a row, ${training!.y.size} numbers. */\nexport type Target = number | ArrayLike<number>`
  return `export type Target = ${encoding.target.kind === "class" ? "Class | number" : "number"}`
}
