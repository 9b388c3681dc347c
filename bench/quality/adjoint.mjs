// Trains one task with adjoint and writes all that another library needs to do the same: node bench/quality/adjoint.mjs TASK SEED FILE OPTIONS
// Prints what it measured as a line of JSON. OPTIONS: { text, rows, deterministic } as JSON. The file is safetensors: data, the order of the
// rows, the learning rates, the first and the last weights, and the gradients that the first batch has with either.
import { writeFileSync } from "node:fs"
import { arange, configure, jit, tensor, valueAndGrad } from "adjoint"
import { writeSafetensors } from "adjoint/io"
import { crossEntropy } from "adjoint/losses"
import { adam, schedules } from "adjoint/optim"
import { accuracy, fit, rowsOf } from "adjoint/train"
import { TASKS } from "./tasks.mjs"

const [task, seed, file, options] = process.argv.slice(2)
const { deterministic, ...wanted } = JSON.parse(options)
configure({ deterministic })
const { model, training, validation, settings } = TASKS[task].make(wanted)
const { rate, batchSize, epochs } = settings

const rows = ({ data, shape, dtype, scale = 1 }) => rowsOf(data, shape, { dtype, scale })
const pair = ({ x, y }) => ({ x: rows(x), y: rows(y) })

// fit decides the first weights and the order of the rows; they are noted as it does
const data = pair(training)
const order = []
const noted = {
  ...data.x,
  read(chosen, into) {
    order.push(...chosen)
    data.x.read(chosen, into)
  },
}
let start // makes the first weights again: fit gives away the memory of those that it gets
const watched = {
  ...model,
  init(...how) {
    start = () => model.init(...how)
    return start()
  },
}
const steps = epochs * Math.ceil(data.x.rows / batchSize)
const schedule = schedules.cosine(rate, { steps })
// the rows that are read are noted as the order of training, so nothing else may read any
const fitting = { loss: crossEntropy, optimizer: adam(schedule), epochs, batchSize, seed: Number(seed), health: false }
const run = fit(watched, { ...data, x: noted }, fitting)
const trained = await run.result
const measured = trained.evaluate(pair(validation), { loss: crossEntropy, metrics: { accuracy } })

/** The first batch of some rows. */
function firstBatch({ shape, dtype, read }) {
  const array = new (dtype === "f32" ? Float32Array : Int32Array)(batchSize * shape.reduce((a, b) => a * b, 1))
  read(Int32Array.from(order.slice(0, batchSize)), array)
  return tensor(array, { shape: [batchSize, ...shape], dtype })
}
const first = start()
const lossOf = (params, x, y) => crossEntropy(model.apply(params, first.state, x, { training: true })[0], y)
const slope = jit(valueAndGrad(lossOf))
const [x, y] = [firstBatch(data.x), firstBatch(data.y)]
const [firstLoss, firstGradient] = slope(first.params, x, y)
const [, lastGradient] = slope(trained.params, x, y)

/** Leaves by path. */
const named = (tree, path) =>
  tree.dtype ? [[path, stored(tree.values(), tree.shape)]] : Object.entries(tree).flatMap(([k, v]) => named(v, `${path}.${k}`))
const KINDS = { Uint8Array: "u8", Int32Array: "i32", Float32Array: "f32", Float64Array: "f64" }
function stored(array, shape = [array.length]) {
  const whole = array instanceof Uint8Array ? new Uint8Array(array) : array // of a file's buffer
  return { dtype: KINDS[whole.constructor.name], shape, data: whole }
}
const examples = ({ data, shape }) => stored(data, [data.length / shape.reduce((a, b) => a * b, 1), ...shape])

const tensors = {
  ...{ x: examples(training.x), y: examples(training.y), xValidation: examples(validation.x), yValidation: examples(validation.y) },
  order: stored(Int32Array.from(order)),
  rates: stored(schedule(arange(steps)).values()),
  ...Object.fromEntries([...named(first.params, "first.weights"), ...named(firstGradient, "first.gradient")]),
  ...Object.fromEntries([...named(trained.params, "last.weights"), ...named(lastGradient, "last.gradient")]),
}
const said = { batchSize, epochs, scale: training.x.scale ?? 1 }
writeFileSync(file, writeSafetensors(tensors, { settings: JSON.stringify(said) }))
console.log(JSON.stringify({ steps, firstLoss: firstLoss.item(), loss: measured.loss, accuracy: measured.accuracy }))
