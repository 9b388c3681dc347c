// A gradient by backpropagation beside one by central differences, by the number of weights.
import { jit, random, tensor, valueAndGrad } from "adjoint"
import { program } from "adjoint/explain"
import { squaredError } from "adjoint/losses"
import { dense, sequential, tanh } from "adjoint/nn"
import { duration, exponent, number, table, times } from "./measure.mjs"

const INPUTS = 8
const BATCH = 128
/** Below, what a call costs whatever it computes would make the powers smaller. */
const FROM = 1000
/** Of what is two forward passes for each weight, so many weights are measured where there are more. */
const SAMPLE = 200
const H = 1e-5

/** A network with two hidden layers of that width, as a function of one vector of weights, which can be moved one by one. */
function lossOf(width) {
  const f64 = { dtype: "f64" }
  const model = sequential(dense(INPUTS, width, f64), tanh(), dense(width, width, f64), tanh(), dense(width, 1, f64))
  const { params, state } = model.init(random.key(width), [INPUTS])
  const start = Float64Array.from(params.layers.flatMap(layer => Object.values(layer).flatMap(leaf => [...leaf.values()])))
  const x = random.normal(random.key(1), [BATCH, INPUTS], f64)
  const y = random.normal(random.key(2), [BATCH, 1], f64)
  const loss = weights => {
    let at = 0
    const part = leaf => weights.slice([at, (at += leaf.size)]).reshape(leaf.shape)
    const layers = params.layers.map(layer => Object.fromEntries(Object.entries(layer).map(([name, leaf]) => [name, part(leaf)])))
    return squaredError(model.apply({ layers }, state, x)[0], y)
  }
  return { loss, start }
}

function measure(width, ms) {
  const { loss, start } = lossOf(width)
  const [forward, backprop] = [jit(loss), jit(valueAndGrad(loss))]
  const weights = tensor(start)
  const at = moved => forward(tensor(moved)).item()
  const slope = k => {
    const moved = start.slice()
    moved[k] = start[k] + H
    const above = at(moved)
    moved[k] = start[k] - H
    return (above - at(moved)) / (2 * H)
  }
  const n = start.length
  const count = Math.min(n, SAMPLE)
  const chosen = Array.from({ length: count }, (_, i) => Math.floor((i * n) / count))
  const exact = backprop(weights)[1].values()
  const largest = exact.reduce((m, g) => Math.max(m, Math.abs(g)), 0)
  const apart = Math.max(...chosen.map(k => Math.abs(slope(k) - exact[k]))) / largest
  let next = 0
  const [perWeight, ahead, both] = times(
    [() => slope(chosen[next++ % count]), () => forward(weights).item(), () => backprop(weights)[1].values()],
    ms,
  )
  const [operations, all] = [loss, valueAndGrad(loss)].map(f => program(f, [weights]).operations)
  return {
    weights: n,
    forward: ahead,
    gradient: both,
    differences: perWeight * n,
    sampled: count,
    operations: all / operations,
    apart,
  }
}

export function differences(short) {
  const widths = short ? [6, 13, 27, 50] : [6, 13, 27, 50, 95, 168, 311]
  const rows = widths.map(width => measure(width, short ? 20 : 300))
  const curve = name => rows.map(row => [row.weights, row[name]])
  const exponents = Object.fromEntries(
    ["forward", "gradient", "differences"].map(name => [name, exponent(curve(name).filter(([n]) => short || n >= FROM))]),
  )
  const cells = rows.map(r => [
    number(r.weights),
    duration(r.forward),
    duration(r.gradient),
    number(r.gradient / r.forward),
    number(r.operations),
    `${duration(r.differences)}${r.sampled < r.weights ? " *" : ""}`,
    number(r.differences / r.gradient),
    r.apart.toExponential(0),
  ])
  const head = ["weights", "forward", "gradient", "ratio", "ratio of operations", "differences", "times the gradient", "apart"]
  const powers = Object.entries(exponents).map(([name, p]) => `${name} ${p.toFixed(2)}`)
  const text = [
    table(head, cells),
    `${short ? "Time" : `From ${number(FROM)} weights on the time`} grows with their number to the power of: ${powers.join(", ")}.`,
    `\\* two forward passes for each of ${SAMPLE} weights, spread over all, were measured; the time is that of one, times the number of weights.`,
  ].join("\n\n")
  const data = { "forward pass": curve("forward"), gradient: curve("gradient"), "central differences": curve("differences") }
  const chart = { title: "Time of a gradient", x: "weights", y: "milliseconds" }
  return { name: "differences", text, numbers: { rows, exponents }, charts: [{ file: "differences.svg", options: chart, data }] }
}
