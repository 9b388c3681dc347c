// The time of a training step by the width of the network and by the size of the batch.
import { jit, random, tensor, valueAndGrad } from "adjoint"
import { crossEntropy } from "adjoint/losses"
import { dense, relu, sequential } from "adjoint/nn"
import { adam } from "adjoint/optim"
import { duration, exponent, number, table, times } from "./measure.mjs"

const BATCH = 64
const WIDTH = 256
const CLASSES = 10

/** Milliseconds of a step of Adam on a network of three layers, and its operations: six for each weight and example. */
function measure(width, batch, ms) {
  const model = sequential(dense(width, width), relu(), dense(width, width), relu(), dense(width, CLASSES))
  const optimizer = adam(1e-3)
  const { params, state } = model.init(random.key(1), [width])
  const x = random.normal(random.key(2), [batch, width])
  const y = tensor(Int32Array.from({ length: batch }, (_, i) => i % CLASSES))
  const lossOf = params => crossEntropy(model.apply(params, state, x)[0], y)
  const step = jit(
    (params, moments) => {
      const [loss, slopes] = valueAndGrad(lossOf)(params)
      return [...optimizer.update(slopes, moments, params), loss]
    },
    { donate: [0, 1] },
  )
  let now = [params, optimizer.init(params)]
  const next = () => {
    const [params, moments, loss] = step(...now)
    now = [params, moments]
    loss.item()
  }
  const [each] = times([next], ms)
  const weights = 2 * width * (width + 1) + (width + 1) * CLASSES
  return { width, batch, weights, ms: each, gflops: (6 * weights * batch) / each / 1e6 }
}

export function sizes(short) {
  const powers = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => 2 ** (from + i))
  const budget = short ? 5 : 300
  const byWidth = powers(3, short ? 6 : 10).map(width => measure(width, BATCH, budget))
  const byBatch = powers(0, short ? 4 : 10).map(batch => measure(short ? 32 : WIDTH, batch, budget))
  const wide = byWidth.filter(r => r.width >= 128)
  const cells = (rows, of) => rows.map(r => [number(r[of]), number(r.weights), duration(r.ms), number(r.gflops)])
  const power =
    wide.length > 1
      ? ` From a width of 128 on the time grows with the width to the power of ${exponent(wide.map(r => [r.width, r.ms])).toFixed(2)}.`
      : ""
  const text = [
    `By width, batches of ${BATCH}.${power}`,
    table(["width", "weights", "a step", "GFLOP/s"], cells(byWidth, "width")),
    `By batch, width ${byBatch[0].width}.`,
    table(["batch", "weights", "a step", "GFLOP/s"], cells(byBatch, "batch")),
  ].join("\n\n")
  const curve = (rows, of, what) => rows.map(r => [r[of], r[what]])
  const both = what => ({
    [`by width, batches of ${BATCH}`]: curve(byWidth, "width", what),
    [`by batch, width ${byBatch[0].width}`]: curve(byBatch, "batch", what),
  })
  const charts = [
    { file: "sizes-time.svg", options: { title: "Time of a training step", x: "width or batch", y: "milliseconds" }, data: both("ms") },
    {
      file: "sizes-gflops.svg",
      options: { title: "Arithmetic of a training step", x: "width or batch", y: "GFLOP/s" },
      data: both("gflops"),
    },
  ]
  return { name: "sizes", text, numbers: { byWidth, byBatch }, charts }
}
