// Which settings suit tables, judged by validation loss alone: of each data set only the training rows of the first division are read.
// After `npm run build` and bench/tabular/prepare.py; settings are flags, one argument for each:
//   node bench/table-settings.mjs FOLDER iris,boston "--hidden 64,32" "--hidden 128,64 --weight-decay 0.3"
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const SEEDS = [10, 11, 12, 13]
const [folder, names, ...settings] = process.argv.slice(2)
const out = mkdtempSync(join(tmpdir(), "adjoint-settings-"))

/** The best validation loss of one training. */
function best(name, target, flags, seed) {
  const common = ["--target", target, "--test", 0, "--validation", 0.25, "--seed", seed, "--json", "--no-report", "--out", join(out, "run")]
  const args = ["dist/cli/main.js", "train", join(folder, name, "train-0.csv"), ...common, ...flags.split(" ").filter(Boolean)].map(String)
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", maxBuffer: 2 ** 30 })
  if (status !== 0) throw new Error(stderr)
  const epochs = stdout
    .trim()
    .split("\n")
    .map(line => JSON.parse(line))
    .filter(({ event }) => event === "epoch")
  return Math.min(...epochs.map(({ validation }) => validation.loss))
}

const mean = values => values.reduce((a, b) => a + b, 0) / values.length
const logs = settings.map(() => [])
for (const { name, target } of JSON.parse(readFileSync(join(folder, "data-sets.json"), "utf8"))) {
  if (!names.split(",").includes(name)) continue
  const means = settings.map(flags => mean(SEEDS.map(seed => best(name, target, flags, seed))))
  means.forEach((loss, i) => logs[i].push(Math.log(loss / means[0])))
  console.log(`${name.padEnd(14)} ${means.map(loss => loss.toFixed(4).padStart(8)).join(" ")}`)
}
console.log(`${"beside first".padEnd(14)} ${logs.map(l => Math.exp(mean(l)).toFixed(4).padStart(8)).join(" ")}  geometric mean`)
rmSync(out, { recursive: true, force: true })
