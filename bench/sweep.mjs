// 64 networks trained at once by `sweep`, beside the same networks trained in turn by `fit`: the ratio of pairs, interleaved. Compilation is
// left out on both sides: the first epochs, in which it happens, do not count. CPU time, so that others on the machine hardly matter.
// With --wall it is time by the clock. After `npm run build`, on a quiet machine: node bench/sweep.mjs [--pairs 5] [--only 2-8-1] [--wall]
import { parseArgs } from "node:util"
import "./one-thread.mjs"
import { cast, greater, random } from "adjoint"
import { binaryCrossEntropy, crossEntropy } from "adjoint/losses"
import { dense, relu, sequential, tanh } from "adjoint/nn"
import { adam, sgd } from "adjoint/optim"
import { fit, sweep } from "adjoint/train"

const { values: options } = parseArgs({
  options: {
    pairs: { type: "string", default: "5" },
    only: { type: "string" },
    members: { type: "string", default: "64" },
    at: { type: "string" },
    wall: { type: "boolean", default: false },
  },
})
const MEMBERS = Number(options.members)
const WARM = 2

function xor(rows) {
  const x = random.uniform(random.key(1), [rows, 2], { low: -1 })
  return { x, y: cast(greater(x.slice(":", [0, 1]).mul(x.slice(":", [1, 2])), 0), "f32") }
}
function digits(rows) {
  const x = random.uniform(random.key(1), [rows, 784])
  return { x, y: x.slice(":", [0, 10]).argmax({ axis: -1 }) }
}
const small = { model: sequential(dense(2, 8), tanh(), dense(8, 1)), loss: binaryCrossEntropy, data: xor(512), epochs: 40 }
const large = { model: sequential(dense(784, 32), relu(), dense(32, 10)), loss: crossEntropy, data: digits(512), epochs: 5 }
const CASES = {
  "2-8-1 sgd": { ...small, optimizer: sgd(0.1) },
  "2-8-1 adam": { ...small, optimizer: adam(1e-3) },
  "784-32-10 sgd": { ...large, optimizer: sgd(0.1) },
  "784-32-10 adam": { ...large, optimizer: adam(1e-3) },
}

/** Seconds of the processor, or by the clock. */
const now = () => {
  if (options.wall) return performance.now() / 1000
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
/** Seconds of the epochs after the first ones: of the processor unless told, so that what others do on the machine hardly counts. */
async function secondsOf(run) {
  let before = now()
  let seconds = 0
  for await (const event of run) {
    if (event.event !== "epoch") continue
    const then = now()
    if (event.epoch > WARM) seconds += then - before
    before = then
  }
  await run.result
  return seconds
}
async function inTurn({ model, data, ...rest }) {
  let seconds = 0
  for (let seed = 0; seed < MEMBERS; seed++) seconds += await secondsOf(fit(model, data, { ...rest, batchSize: 16, seed, health: false }))
  return seconds
}
const together = ({ model, data, ...rest }) =>
  secondsOf(sweep(model, data, { ...rest, batchSize: 16, seeds: MEMBERS, ...(options.at && { atOnce: Number(options.at) }) }))

const median = xs => [...xs].sort((a, b) => a - b)[xs.length >> 1]
console.log(`${MEMBERS} networks, batches of 16, microseconds a step of all of them; how many times as fast the sweep is\n`)
console.log("| network | in turn | sweep | ratio | smallest | largest |")
console.log("| --- | ---: | ---: | ---: | ---: | ---: |")
for (const [name, all] of Object.entries(CASES)) {
  if (options.only && !name.startsWith(options.only)) continue
  const steps = (all.epochs - WARM) * (all.data.x.shape[0] / 16)
  await inTurn({ ...all, epochs: WARM + 1 }) // the engine's and JavaScript's own compilers
  await together(all)
  const pairs = []
  for (let i = 0; i < Number(options.pairs); i++) pairs.push([await inTurn(all), await together(all)])
  const ratios = pairs.map(([a, b]) => a / b)
  const us = k => ((median(pairs.map(p => p[k])) / steps) * 1e6).toFixed(1)
  console.log(
    `| ${name} | ${us(0)} | ${us(1)} | ${[median(ratios), Math.min(...ratios), Math.max(...ratios)].map(r => r.toFixed(2)).join(" | ")} |`,
  )
}
