// Two shuffled epochs over a CSV file that is larger than the memory they take: makes the file, trains on it in a process of its own, says
// how much memory that process had at most, and removes the file.
//
// After `npm run build`:
//   node bench/large-csv.mjs                3,000 MB, some ten minutes, in the folder for temporary files
//   node bench/large-csv.mjs --mb 20        a small one
//   node bench/large-csv.mjs --dir /data    the file goes there
import { spawnSync } from "node:child_process"
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, statSync, writeSync } from "node:fs"
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
  options: { mb: { type: "string", default: "3000" }, dir: { type: "string", default: tmpdir() }, train: { type: "string" } },
})

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
    const { stdout, status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), "--train", path], {
      stdio: ["ignore", "pipe", "inherit"],
      encoding: "utf8",
    })
    if (status !== 0) throw new Error(`training ended with exit code ${status}`)
    console.log(JSON.stringify({ fileMb: Math.round(statSync(path).size / 1e6), ...JSON.parse(stdout) }))
  } finally {
    rmSync(dir, { recursive: true })
  }
}
