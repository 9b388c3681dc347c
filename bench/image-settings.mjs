// Which settings suit images, judged by validation rows alone: of each set only so many training images are read, never a test image.
// After `npm run build`; settings are flags, one argument for each; FOLDER holds train-images-idx3-ubyte(.gz) and train-labels-idx1-ubyte(.gz):
//   node bench/image-settings.mjs FOLDER 10000 "--convolutions none" "--convolutions 16,32 --learning-rate 0.001"
import { spawnSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gunzipSync } from "node:zlib"

const SEEDS = (process.env.SEEDS ?? "10,11").split(",").map(Number)
const [folder, rows, ...settings] = process.argv.slice(2)
const out = mkdtempSync(join(tmpdir(), "adjoint-images-"))

/** The first images or labels of an IDX file. */
function first(what, n) {
  const name = readdirSync(folder).find(file => file.startsWith(`train-${what}`))
  const bytes = readFileSync(join(folder, name))
  const all = name.endsWith(".gz") ? gunzipSync(bytes) : bytes
  const lengths = Array.from({ length: all[3] }, (_, i) => all.readUInt32BE(4 + 4 * i))
  const [count, each] = [Math.min(n, lengths[0]), lengths.slice(1).reduce((a, b) => a * b, 1)]
  const head = Buffer.from(all.subarray(0, 4 + 4 * lengths.length))
  head.writeUInt32BE(count, 4)
  return Buffer.concat([head, all.subarray(head.length, head.length + count * each)])
}
// the command wants test images too: it gets ten of those it is trained on, and what it says of them is not looked at
for (const [part, n] of [["train", Number(rows)], ["t10k", 10]]) // biome-ignore format: one line
  for (const [what, axes] of [["images", 3], ["labels", 1]]) // biome-ignore format: one line
    writeFileSync(join(out, `${part}-${what}-idx${axes}-ubyte`), first(what, n))

/** The epoch that is kept. */
function best(flags, seed) {
  const common = ["--validation", 0.2, "--seed", seed, "--json", "--no-report", "--out", join(out, "run")]
  const args = ["dist/cli/main.js", "train", out, ...common, ...flags.split(" ").filter(Boolean)].map(String)
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", maxBuffer: 2 ** 30 })
  if (status !== 0) throw new Error(stderr + stdout)
  const events = stdout
    .trim()
    .split("\n")
    .map(line => JSON.parse(line))
  const { bestEpoch, epoch, seconds } = events.find(({ event }) => event === "end")
  const { loss, accuracy } = events.find(e => e.event === "epoch" && e.epoch === bestEpoch).validation
  return { loss, accuracy, bestEpoch, seconds: seconds / epoch }
}

const mean = values => values.reduce((a, b) => a + b, 0) / values.length
for (const flags of settings) {
  const found = SEEDS.map(seed => best(flags, seed))
  const of = (name, digits) => mean(found.map(f => f[name])).toFixed(digits)
  console.log(
    `validation loss ${of("loss", 4)}  accuracy ${of("accuracy", 4)}  kept epoch ${of("bestEpoch", 1)}  ${of("seconds", 2)} s an epoch  ${flags}`,
  )
}
rmSync(out, { recursive: true, force: true })
