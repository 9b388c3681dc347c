// Which settings suit images, judged by validation rows alone: of each set only so many training images are read, never a test image.
// After `npm run build`; settings are flags, one argument for each; FOLDER holds train-images-idx3-ubyte(.gz) and train-labels-idx1-ubyte(.gz):
// the name "shapes" stands for drawn ones in colours.
//   node bench/image-settings.mjs FOLDER 10000 "--convolutions none" "--convolutions 16,32 --learning-rate 0.001"
import { spawnSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gunzipSync } from "node:zlib"

const SEEDS = (process.env.SEEDS ?? "10,11").split(",").map(Number)
const [folder, rows, ...settings] = process.argv.slice(2)
const out = mkdtempSync(join(tmpdir(), "adjoint-images-"))

/** Six shapes of any colours anywhere on 32x32 pixels of noise, as the contents of IDX files. */
function shapes(what, n) {
  let word = 7
  const draw = below => ((word = (Math.imul(word, 1664525) + 1013904223) >>> 0) / 2 ** 32) * below
  const inside = [
    (u, v) => Math.hypot(u, v) < 1,
    (u, v) => Math.max(Math.abs(u), Math.abs(v)) < 0.85,
    (u, v) => v > -0.8 && v < 0.9 && Math.abs(u) < (v + 1) / 1.9,
    (u, v) => Math.min(Math.abs(u), Math.abs(v)) < 0.3,
    (u, v) => Math.hypot(u, v) > 0.55 && Math.hypot(u, v) < 1,
    (u, v) => Math.abs(u + v) < 0.45,
  ]
  const [pixels, labels] = [Buffer.alloc(n * 32 * 32 * 3), Buffer.alloc(n)]
  for (let i = 0; i < n; i++) {
    labels[i] = draw(6)
    const [x0, y0, r, colours] = [9 + draw(14), 9 + draw(14), 4 + draw(5), [draw(255), draw(255), draw(255)]]
    const others = colours.map(c => (c + 80 + draw(95)) % 255)
    for (let p = 0; p < 32 * 32; p++) {
      const [u, v] = [((p % 32) - x0) / r, (Math.floor(p / 32) - y0) / r]
      const seen = Math.max(Math.abs(u), Math.abs(v)) < 1 && inside[labels[i]](u, v) ? colours : others
      for (let k = 0; k < 3; k++) pixels[(i * 1024 + p) * 3 + k] = Math.min(255, Math.max(0, seen[k] + draw(100) - 50))
    }
  }
  return what === "images" ? idx([n, 32, 32, 3], pixels) : idx([n], labels)
}

/** The first images or labels of an IDX file. */
function first(what, n) {
  if (folder === "shapes") return shapes(what, n)
  const name = readdirSync(folder).find(file => file.startsWith(`train-${what}`))
  const bytes = readFileSync(join(folder, name))
  const all = name.endsWith(".gz") ? gunzipSync(bytes) : bytes
  const lengths = Array.from({ length: all[3] }, (_, i) => all.readUInt32BE(4 + 4 * i))
  const [count, each] = [Math.min(n, lengths[0]), lengths.slice(1).reduce((a, b) => a * b, 1)]
  const from = 4 + 4 * lengths.length
  return idx([count, ...lengths.slice(1)], all.subarray(from, from + count * each))
}

function idx(shape, bytes) {
  const head = Buffer.from([0, 0, 8, shape.length, ...shape.flatMap(() => [0, 0, 0, 0])])
  for (const [i, n] of shape.entries()) head.writeUInt32BE(n, 4 + 4 * i)
  return Buffer.concat([head, bytes])
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
