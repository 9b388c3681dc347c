// Two shuffled epochs over a CSV file that is larger than the memory they take: makes the file, trains on it in a process of its own, says
// how much memory that process had at most, and removes the file.
//
// After `npm run build`:
//   node bench/large-csv.mjs                3,000 MB, some ten minutes, in the folder for temporary files
//   node bench/large-csv.mjs --mb 20        a small one
//   node bench/large-csv.mjs --dir /data    the file goes there
//   node bench/large-csv.mjs --command      by adjoint train, adjoint evaluate and adjoint predict instead of fit, each in a process
//   node bench/large-csv.mjs --command --memory 64    with --memory 64
import { spawnSync } from "node:child_process"
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statfsSync, statSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { datasetOf, fitEncoding, openTable, shuffle } from "adjoint/data"
import { crossEntropy } from "adjoint/losses"
import { dense, relu, sequential } from "adjoint/nn"
import { adam } from "adjoint/optim"
import { fit } from "adjoint/train"

const { values: options } = parseArgs({
  options: {
    mb: { type: "string", default: "3000" },
    dir: { type: "string", default: tmpdir() },
    train: { type: "string" },
    command: { type: "boolean" },
    memory: { type: "string" },
  },
})

const MEMORY = options.memory === undefined ? [] : ["--memory", options.memory]
const COLUMNS = 30
/** Different rows, but for their number in front: making millions of random ones would take longer than reading them. */
const KINDS = 1 << 14

/** Rows of numbers and a category; the answer is yes where the numbers with even places have the larger sum. */
function rowsToRepeat() {
  return Array.from({ length: KINDS }, (_, kind) => {
    const numbers = Array.from(shuffle(1000, 1, kind).subarray(0, COLUMNS), n => (n - 500) / 100)
    const sum = numbers.reduce((sum, x, i) => sum + (i % 2 ? -x : x), 0)
    return `,${numbers.map(x => x.toFixed(4)).join()},${["red", "green", "blue"][kind % 3]},${sum > 0 ? "yes" : "no"}\n`
  })
}

function write(path, bytes) {
  const rows = rowsToRepeat()
  const file = openSync(path, "w")
  writeSync(file, `id,${Array.from({ length: COLUMNS }, (_, i) => `x${i}`).join()},colour,answer\n`)
  let row = 0
  for (let written = 0; written < bytes; ) {
    let text = ""
    while (text.length < 1 << 20) text += row + rows[row++ % KINDS]
    written += writeSync(file, text)
  }
  closeSync(file)
}

async function train(path) {
  const file = await openTable(path)
  const encoding = fitEncoding(await file.sample(20_000, 1), { target: "answer", ignore: ["id"] })
  const data = datasetOf(file, encoding)
  const model = sequential(dense(data.x.shape[0], 16), relu(), dense(16, 2))
  const run = fit(model, data, { loss: crossEntropy, optimizer: adam(1e-3), epochs: 2, batchSize: 256, seed: 1 })
  const losses = []
  for await (const event of run) if (event.event === "epoch") losses.push(Number(event.loss.toPrecision(4)))
  return { rows: file.rows, losses, peakMb: Math.round(process.resourceUsage().maxRSS / 1024) }
}

/** `train` in a process of its own. */
function byFit(path) {
  const { stdout, status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), "--train", path], {
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
  })
  if (status !== 0) throw new Error(`training ended with exit code ${status}`)
  return JSON.parse(stdout)
}

/** Writes down how much memory a process had at most when it ends. */
const WATCH = `data:text/javascript,import { writeFileSync } from "node:fs"
process.on("exit", () => writeFileSync(process.env.PEAK, String(process.resourceUsage().maxRSS)))`.replaceAll("\n", ";")

/** The command in a process of its own: its result, seconds and memory. */
function adjoint(dir, ...args) {
  const main = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url))
  const env = { ...process.env, PEAK: join(dir, "peak") }
  const started = performance.now()
  const { stdout, stderr, status } = spawnSync(process.execPath, ["--import", WATCH, main, ...args, ...MEMORY, "--json"], {
    cwd: dir,
    env,
    encoding: "utf8",
    maxBuffer: 1 << 30,
  })
  if (status !== 0) throw new Error(`adjoint ${args[0]} ended with exit code ${status}: ${stderr}`)
  const events = stdout
    .trim()
    .split("\n")
    .map(line => JSON.parse(line))
  const seconds = Math.round((performance.now() - started) / 1000)
  return { events, figures: { seconds, peakMb: Math.round(Number(readFileSync(env.PEAK, "utf8")) / 1024) } }
}

/** The path of a user: train, evaluate, predict. */
function byCommand(dir, path) {
  const train = adjoint(dir, "train", path, "--target", "answer", "--epochs", "2", "--out", join(dir, "run"))
  const losses = train.events.filter(({ event }) => event === "epoch").map(({ loss }) => Number(loss.toPrecision(4)))
  const { rows } = train.events.find(({ event }) => event === "start")
  const evaluate = adjoint(dir, "evaluate", join(dir, "run"), path)
  const predict = adjoint(dir, "predict", join(dir, "run"), path, "--only", "--out", join(dir, "answers.csv"))
  const { test } = train.events.at(-1)
  if (test.accuracy !== evaluate.events.at(-1).test.accuracy) throw new Error("evaluate found another accuracy than train")
  return {
    ...{ rows, losses, tested: test.rows, accuracy: test.accuracy, predicted: predict.events.at(-1).rows },
    ...{ train: train.figures, evaluate: evaluate.figures, predict: predict.figures },
    warnings: train.events.filter(({ event }) => event === "warning").map(({ message }) => message),
  }
}

if (options.train !== undefined) console.log(JSON.stringify(await train(options.train)))
else {
  const bytes = Number(options.mb) * 1e6
  const { bavail, bsize } = statfsSync(options.dir)
  if (bavail * bsize < 1.2 * bytes)
    throw new Error(`${options.dir} has not enough room for ${options.mb} MB; name another folder with --dir`)
  const dir = mkdtempSync(join(options.dir, "adjoint-large-"))
  try {
    const path = join(dir, "large.csv")
    write(path, bytes)
    const found = options.command ? byCommand(dir, path) : byFit(path)
    console.log(JSON.stringify({ fileMb: Math.round(statSync(path).size / 1e6), ...found }))
  } finally {
    rmSync(dir, { recursive: true })
  }
}
