// Backpropagation with Adam beside a genetic algorithm, to the same loss: forward passes, time and memory.
import { readFileSync } from "node:fs"
import { jit, random, tensor, valueAndGrad } from "adjoint"
import { parseCsv } from "adjoint/data"
import { program } from "adjoint/explain"
import { genetic } from "adjoint/learning"
import { crossEntropy } from "adjoint/losses"
import { dense, logistic, sequential, tanh } from "adjoint/nn"
import { adam } from "adjoint/optim"
import { duration, median, number, size, table } from "./measure.mjs"

const RATE = 0.05
const GOAL = 0.1
/** Nobody waits for more. */
const MOST_STEPS = 3000

function xor() {
  const x = tensor([[0, 0], [0, 1], [1, 0], [1, 1]]) // biome-ignore format: a table
  return { name: "XOR, 2-4-2", model: sequential(dense(2, 4), logistic(), dense(4, 2)), x, y: tensor([0, 1, 1, 0], { dtype: "i32" }) }
}
function iris() {
  const rows = parseCsv(readFileSync(new URL("../../tests/data/iris.csv", import.meta.url)), { name: "iris.csv" })
  const names = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
  const columns = names.map(name => {
    const all = rows.column(name).map(Number)
    const mean = all.reduce((sum, v) => sum + v, 0) / all.length
    const deviation = Math.sqrt(all.reduce((sum, v) => sum + (v - mean) ** 2, 0) / all.length)
    return all.map(v => (v - mean) / deviation)
  })
  const kinds = [...new Set(rows.column("species"))]
  const y = Int32Array.from(rows.column("species"), kind => kinds.indexOf(kind))
  return {
    name: "Iris, 4-8-3",
    model: sequential(dense(4, 8), tanh(), dense(8, 3)),
    x: tensor(transposed(columns)),
    y: tensor(y),
  }
}
const transposed = columns => Array.from(columns[0], (_, i) => columns.map(column => column[i]))

/** Both ways to learn: a step from a state to the next one and the loss, and how many forward passes over all rows it makes. */
function ways({ model, x, y }, seed) {
  const inShape = x.shape.slice(1)
  const { params, state } = model.init(random.fold(random.key(seed), 0), inShape)
  const lossOf = params => crossEntropy(model.apply(params, state, x)[0], y)
  const optimizer = adam(RATE)
  const rule = genetic()
  const own = rule.init(model, params, inShape, random.fold(random.key(seed), 1))
  return {
    backpropagation: {
      passes: 1,
      start: { params, moments: optimizer.init(params) },
      step({ params, moments }) {
        const [loss, slopes] = valueAndGrad(lossOf)(params)
        const [next, after] = optimizer.update(slopes, moments, params)
        return [{ params: next, moments: after }, loss]
      },
    },
    genetic: {
      passes: rule.config.population,
      start: { population: own.kept },
      step({ population }, key) {
        const own = { kept: population, learned: {} }
        const moved = rule.move({ model, loss: crossEntropy, params, own, state, x, y, key })
        return [{ population: moved.own.kept }, moved.loss]
      },
    },
  }
}

const bytesOf = tree => (tree?.aval ? tree.values().byteLength : Object.values(tree ?? {}).reduce((n, part) => n + bytesOf(part), 0))

/** Steps, one by one, until the loss is down to the goal. */
function learn({ passes, start, step }, seed) {
  const compiled = jit(step)
  const key = i => random.fold(random.key(seed), i + 2)
  compiled(start, key(-1))[1].item()
  const curve = []
  const begin = performance.now()
  let state = start
  for (let i = 0; i < MOST_STEPS && !(curve.at(-1)?.[1] <= GOAL); i++) {
    const [next, loss] = compiled(state, key(i))
    state = next
    curve.push([passes * (i + 1), loss.item()])
  }
  const ms = performance.now() - begin
  return { evaluations: passes * curve.length, steps: curve.length, reached: curve.at(-1)[1] <= GOAL, ms, curve }
}

function compare(problem, seeds) {
  return Object.keys(ways(problem, 0)).map(name => {
    const way = ways(problem, 0)[name]
    // a whole run as a warm-up
    learn(way, 0)
    const runs = seeds.map(seed => learn(ways(problem, seed)[name], seed))
    const { memory, operations } = program(way.step, [way.start, random.key(0)])
    const { params, state } = problem.model.init(random.key(0), problem.x.shape.slice(1))
    const forward = program(params => problem.model.apply(params, state, problem.x)[0], [params]).operations
    const middle = of => median(runs.map(of))
    return {
      ...{ problem: problem.name, way: name, reached: runs.filter(r => r.reached).length, runs: runs.length },
      steps: middle(r => r.steps),
      evaluations: middle(r => r.evaluations),
      work: (middle(r => r.steps) * operations) / forward,
      ms: middle(r => r.ms),
      kept: bytesOf(way.start),
      peak: memory.arguments + memory.results + memory.temporaries,
      curve: runs[0].curve,
    }
  })
}

export function evolution(short) {
  const seeds = Array.from({ length: short ? 1 : 9 }, (_, i) => i)
  const problems = [xor(), iris()]
  const rows = problems.flatMap(problem => compare(problem, seeds))
  const cells = rows.map(r => [
    `${r.problem}, ${r.way}`,
    `${r.reached} of ${r.runs}`,
    number(r.steps),
    number(r.evaluations),
    number(r.work),
    duration(r.ms),
    size(r.kept),
    size(r.peak),
  ])
  const head = ["network", "reached", "steps", "evaluations", "operations, in forward passes", "time", "kept", "peak"]
  const text = [
    `Down to a cross-entropy of ${GOAL} on all rows, medians over ${seeds.length} first ${seeds.length === 1 ? "weight" : "weights"}; Adam's rate is ${RATE}.`,
    table(head, cells),
  ].join("\n\n")
  const charts = problems.map(({ name }) => ({
    file: `evolution-${name.split(",")[0].toLowerCase()}.svg`,
    options: { title: `Loss by evaluations: ${name}`, x: "forward passes over all rows", y: "cross-entropy", symbols: false },
    data: Object.fromEntries(rows.filter(r => r.problem === name).map(r => [r.way, r.curve])),
  }))
  return { name: "evolution", text, numbers: rows, charts }
}
