// From a trained model to the parts of a written module: a description as JSON, and a file with programs and numbers.
import { type Aval, type Shape, size } from "../core/aval.ts"
import { tensor } from "../core/concrete.ts"
import type { Dtype } from "../core/dtype.ts"
import { leaves } from "../core/tree.ts"
import { type TrainedModel, VERSION } from "../train/trained.ts"
import { library } from "./compile.ts"
import { withSections } from "./container.ts"
import type { Description, Info, Place, ProgramDescription, Stored, TrainingDescription } from "./description.ts"
import { addressesOf, bytesIn, Layout } from "./layout.ts"
import type { Checked } from "./options.ts"
import { type Program, predictPrograms, type Training, trainingPrograms } from "./programs.ts"

/** The description of a module, and its WebAssembly file. */
export interface Parts {
  readonly description: Description
  readonly wasm: Uint8Array<ArrayBuffer>
}

/** Compiles the programs of a module and gives everything its place. */
export function build(trained: TrainedModel, options: Checked): Parts {
  const predict = predictPrograms(trained, options)
  const { results } = predict[0]!.compiled
  const outShape = results[0]!.shape.slice(1)
  const training = options.trainable && trainingPrograms(trained, options, outShape, options.trainable)
  const programs = [...predict, ...(training?.steps ?? [])]
  const most = Math.max(...programs.map(p => p.rows))

  const layout = new Layout()
  const state = placeState(layout, trained, programs, training)
  const x = placeRows(layout, most, trained.inShape, options.dtype)
  const outputs = results.map(r => placeRows(layout, most, r.shape.slice(1), r.dtype))
  const places = outputs.map(o => o.at)
  const description: Omit<Description, "arena" | "pages"> = {
    ...{ info: infoOf(trained, options, outShape), encoding: options.encoding, data: layout.start, x },
    outputs: outputs[0]!,
    probabilities: outputs[1] ?? null,
    predict: predict.map(p => describe(p, layout, [...state.model, x.at], places)),
    training: training ? describeTraining(training, layout, state, x, most) : null,
  }
  const arena = layout.reserve(Math.max(...programs.map(({ compiled }) => compiled.arena)), 64)
  const code = programs.some(({ compiled }) => compiled.callsLibrary) ? library() : undefined
  const sections = new Map(programs.map(({ section, compiled }): [string, Uint8Array] => [section, compiled.code]))
  return { description: { ...description, arena, pages: layout.pages }, wasm: withSections(code, sections.set("data", layout.data())) }
}

/** Addresses of what does not change, and of what steps change and `save` keeps, from `from` to `end`. */
interface State {
  readonly model: readonly number[]
  readonly optimizer: readonly number[]
  readonly keys: number
  readonly one: number
  readonly counter: number
  readonly from: number
  readonly end: number
}
function placeState(layout: Layout, { params, state }: TrainedModel, programs: readonly Program[], training?: Training): State {
  for (const { compiled } of programs) for (const x of compiled.captured) layout.constant(x)
  const [keys, one] = training ? [layout.constant(training.keys), layout.constant(tensor(1, { dtype: "i32" }))] : [0, 0]
  const from = layout.reserve(0)
  const counter = training ? layout.reserve(4) : 0
  const model = leaves([params, state]).map(x => layout.hold(x))
  const optimizer = leaves(training?.optimizer).map(x => layout.hold(x))
  return { model, optimizer, keys, one, counter, from, end: layout.end }
}

const placeRows = (layout: Layout, rows: number, shape: Shape, dtype: Dtype): Place => {
  const aval: Aval = { shape: [rows, ...shape], dtype }
  return { at: layout.reserve(bytesIn(aval), 64), dtype: stored(dtype), size: size(shape) }
}

function describe(p: Program, layout: Layout, given: readonly number[], results: readonly number[]): ProgramDescription {
  const addresses = addressesOf(p.compiled, layout, given, results)
  return { section: p.section, rows: p.rows, addresses, table: layout.reserve(4 * addresses.length) }
}

function describeTraining({ steps, target, kind }: Training, layout: Layout, state: State, x: Place, rows: number): TrainingDescription {
  const y = placeRows(layout, rows, target.shape, target.dtype)
  const loss = placeRows(layout, 1, [], steps[0]!.compiled.results.at(-1)!.dtype)
  const carry = [...state.model, ...state.optimizer]
  const given = [...carry, x.at, y.at, state.keys, state.counter, state.one]
  const { counter, from, end } = state
  return { steps: steps.map(s => describe(s, layout, given, [...carry, loss.at])), y, loss, counter, from, end, kind }
}

function infoOf({ params, inShape }: TrainedModel, { name, encoding, trainable }: Checked, outShape: Shape): Info {
  const { batchSizes = [1, 32], optimizer } = trainable ?? {}
  return {
    ...{ name, adjoint: VERSION, inShape, outShape },
    parameters: leaves(params).reduce((n, p) => n + p.size, 0),
    ...(encoding && "inputs" in encoding && { columns: encoding.inputs.map(column => column.name) }),
    ...(encoding && { target: encoding.target.name }),
    ...(encoding?.target.kind === "class" && { classes: encoding.target.values }),
    ...(optimizer && { trainable: { batchSizes, optimizer: optimizer.config ?? null } }),
  }
}

function stored(dtype: Dtype): Stored {
  if (dtype === "f16" || dtype === "bf16" || dtype === "bool")
    throw new TypeError(`exportStandalone: a module hands out f32, f64, i32 or u8; the model gives ${dtype}. End it with cast`)
  return dtype
}
