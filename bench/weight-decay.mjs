// Which weight decay suits small tables, judged by validation loss alone: test rows are set aside and never looked at.
// After `npm run build`: node bench/weight-decay.mjs iris.csv:species houses.csv:price
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const SPLITS = [10, 11, 12, 13, 14, 15]
const DECAYS = [0, 0.1, 1]
const dir = mkdtempSync(join(tmpdir(), "adjoint-decay-"))

/** The best validation loss of one training. */
function best(table, target, decay, seed) {
  const options = ["--weight-decay", decay, "--seed", seed, "--validation", 0.25, "--json", "--out", join(dir, "model")]
  const args = ["dist/cli/main.js", "train", table, "--target", target, ...options].map(String)
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", maxBuffer: 2 ** 28 })
  if (status !== 0) throw new Error(stderr)
  const events = stdout
    .trim()
    .split("\n")
    .map(line => JSON.parse(line))
  return Math.min(...events.filter(e => e.event === "epoch").map(e => e.validation.loss))
}

for (const argument of process.argv.slice(2)) {
  const [table, target] = argument.split(":")
  const losses = DECAYS.map(decay => SPLITS.map(seed => best(table, target, decay, seed)))
  const means = losses.map((l, i) => `${DECAYS[i]}: ${(l.reduce((a, b) => a + b) / l.length).toFixed(4)}`)
  const wins = SPLITS.filter((_, i) => losses.at(-1)[i] < losses[0][i]).length
  console.log(
    `${table}  mean validation loss by decay  ${means.join("  ")}  ${DECAYS.at(-1)} beats 0 in ${wins} of ${SPLITS.length} splits`,
  )
}
rmSync(dir, { recursive: true, force: true })
