// adjoint and PyTorch train the same networks from the same weights on the same batches; what both have learned is the table.
//
// After `npm run build`, with a Python that has torch and numpy:
//   node bench/quality/run.mjs --text tinyshakespeare.txt.gz       three networks, three seeds each
//   node bench/quality/run.mjs --tasks cnn --seeds 1               some of it
//   node bench/quality/run.mjs --tasks cnn --deterministic         the same with other rounding: adjoint without fused multiply-adds
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { TASKS } from "./tasks.mjs"

const { values: options } = parseArgs({
  options: {
    text: { type: "string" },
    tasks: { type: "string", default: Object.keys(TASKS).join(",") },
    seeds: { type: "string", default: "1,2,3" },
    rows: { type: "string", default: "1000000" },
    deterministic: { type: "boolean", default: false },
    python: { type: "string", default: "/usr/bin/python3" },
    json: { type: "boolean", default: false },
  },
})
const folder = mkdtempSync(join(tmpdir(), "adjoint-quality-"))
const one = { OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1", MKL_NUM_THREADS: "1" }

/** What a program prints last, which is JSON. */
function run(program, ...args) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: "utf8", env: { ...process.env, ...one } })
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${error?.message ?? stderr.trim()}`)
  return JSON.parse(stdout.trim().split("\n").at(-1))
}

/** One training on both sides. */
function compare(task, seed) {
  const file = join(folder, "case.safetensors")
  const { text, rows, deterministic } = options
  const settings = JSON.stringify({ text, rows: Number(rows), deterministic })
  const script = name => join(import.meta.dirname, name)
  const ours = run(process.execPath, script("adjoint.mjs"), task, seed, file, settings)
  const theirs = run(options.python, script("pytorch.py"), task, file)
  return { task, seed: Number(seed), adjoint: ours, pytorch: theirs }
}

const mean = xs => xs.reduce((a, b) => a + b) / xs.length
const percent = (x, digits = 2) => `${(100 * x).toFixed(digits)} %`

const results = []
try {
  for (const task of options.tasks.split(",")) {
    for (const seed of options.seeds.split(",")) {
      const result = compare(task, seed)
      results.push(result)
      if (options.json) console.log(JSON.stringify(result))
      else console.error(`${task}, seed ${seed}: adjoint ${result.adjoint.loss.toFixed(5)}, PyTorch ${result.pytorch.loss.toFixed(5)}`)
    }
  }
} finally {
  rmSync(folder, { recursive: true })
}

/** A row of the table: losses and accuracies are means over the seeds, differences of the first step the largest. */
function row(task) {
  const of = results.filter(r => r.task === task)
  const side = (name, key) => of.map(r => r[name][key])
  const [ours, theirs] = [mean(side("adjoint", "loss")), mean(side("pytorch", "loss"))]
  const first = Math.max(...of.map(r => Math.abs(r.adjoint.firstLoss / r.pytorch.firstLoss - 1)))
  const gradient = Math.max(...side("pytorch", "gradientError"))
  const { parameters, steps } = of[0].pytorch
  const accuracies = ["adjoint", "pytorch"].map(name => percent(mean(side(name, "accuracy"))))
  const cells = [TASKS[task].title, parameters, steps, ours.toFixed(4), theirs.toFixed(4), "2 %", percent(ours / theirs - 1)]
  return `| ${[...cells, ...accuracies, first.toExponential(0), gradient.toExponential(0)].join(" | ")} |`
}
const head = ["", "parameters", "steps", "adjoint", "PyTorch", "asked", "measured", "accuracy", "PyTorch's", "first loss", "gradients"]
if (!options.json)
  console.log([`| ${head.join(" | ")} |`, `|---|${"---:|".repeat(head.length - 1)}`, ...options.tasks.split(",").map(row)].join("\n"))
