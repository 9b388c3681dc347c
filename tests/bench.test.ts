// The command `adjoint bench`, and its workloads against the same computations written out in plain JavaScript or without a loop.
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { concat, grad, matmul, sigmoid, type Tensor, type Tree, tanh, valueAndGrad, zeros } from "adjoint"
import { crossEntropy } from "adjoint/losses"
import { afterAll, describe, expect, test } from "vitest"
import { cnn } from "../src/cli/bench/cnn.ts"
import { denseFlops, denseParameters } from "../src/cli/bench/flops.ts"
import * as lstm from "../src/cli/bench/lstm.ts"
import { LARGE, mlp, OPTIMIZERS, SMALL } from "../src/cli/bench/mlp.ts"
import { neuron } from "../src/cli/bench/neuron.ts"
import { integers, permutation, uniform } from "../src/cli/bench/numbers.ts"
import { timeSteps } from "../src/cli/bench/timing.ts"
import { inChunks, stepByStep, type Task } from "../src/cli/bench/training.ts"
import { type Sizes, SIZES as TRANSFORMER, transformer } from "../src/cli/bench/transformer.ts"
import { xor } from "../src/cli/bench/xor.ts"
import { leaves } from "../src/core/tree.ts"
import { events, last, workplace } from "./cli-process.ts"

const { run, remove } = workplace()
afterAll(remove)

const numbers = (t: Tree): number[] => leaves(t).flatMap(x => [...x.values()])
const close = (got: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number): void => {
  expect(got.length).toBe(wanted.length)
  let worst = 0
  for (let i = 0; i < got.length; i++) worst = Math.max(worst, Math.abs(got[i]! - wanted[i]!) / Math.max(1, Math.abs(wanted[i]!)))
  expect(worst).toBeLessThan(tolerance)
}

describe("the command", () => {
  test("tells each result as a line of JSON", async () => {
    const { code, out, err } = await run(["bench", "w1", "--json", "--ms", "50"])
    expect([code, err]).toEqual([0, ""])
    const lines = events(out)
    expect(lines.map(l => l.variant)).toEqual(["", "step by step"])
    for (const line of lines) {
      expect(line).toMatchObject({ event: "result", workload: "W1", unit: "us/step", status: "ok", threads: 1, blas: "off" })
      expect(line.engine).toBe(line.simd === "relaxed" ? "wasm-relaxed" : "wasm")
      for (const name of ["value", "ms", "gflops", "first_step_ms", "rss_mb", "peak_gflops"]) expect(line[name], name).toBeGreaterThan(0)
      expect(line.reps_ms).toHaveLength(3)
      expect(line.off_cpu).toBeLessThan(1)
      expect(line.value).toBeCloseTo(1000 * line.ms, 1)
      expect(line.loss1).toBeLessThan(line.loss0)
    }
  })
  test("prints a table", async () => {
    const { code, out } = await run(["bench", "W5", "W3", "--ms", "20", "--threads", "1", "--blas", "off"])
    expect(code).toBe(0)
    expect(out).toMatch(/^adjoint \d+\.\d+\.\d+, Node .*, V8 .*, (relaxed|plain) SIMD, 1 thread, no BLAS, .+\nPeak [\d.]+ GFLOP\/s: /)
    expect(out).toMatch(/\nW3 {2}MLP 784-128-64-10 +sgd-momentum +[\d.*]+ +[\d.]+ +[\d.]+ +[\d.]+ % +\d+ MB {2}[\d.]+ steps\/s\n/)
    expect(out).toMatch(/\nW5 {2}convolutions 28x28 +sgd-momentum +[\d.*]+ /)
  })
  test("threads and a BLAS are named in what is told", async () => {
    const { code, out } = await run(["bench", "W3", "--ms", "20", "--threads", "2", "--json"])
    expect(code).toBe(0)
    expect(events(out)[0]).toMatchObject({ workload: "W3", status: "ok", threads: 2, blas: "off" })
  })
  test("doctor says what there is, how fast it is and what is missing", async () => {
    const { code, out } = await run(["doctor", "--json"], { env: { ADJOINT_THREADS: "2", ADJOINT_BLAS: "off" } })
    expect(code).toBe(0)
    const told = last(out) as { speeds: { name: string; gflops: number }[] }
    expect(told).toMatchObject({ event: "doctor", threads: "2, on shared memory", blas: "none: ADJOINT_BLAS=off", blasFound: false })
    expect(told.speeds.map(s => s.name)).toEqual(["one thread", "2 threads"])
    for (const { gflops } of told.speeds) expect(gflops).toBeGreaterThan(0.1)
    expect(told).toMatchObject({ advice: ["BLAS: switched off by ADJOINT_BLAS=off."] })
  })
  test("a BLAS that is not there is said", async () => {
    const { code, err } = await run(["bench", "W1", "--blas", "on"], { env: { ADJOINT_BLAS: "/nowhere/libblas.so" } })
    expect(code).toBe(2)
    expect(err).toMatch(
      /--blas on: (ADJOINT_BLAS=\/nowhere\/libblas.so is no library with cblas_sgemm|koffi is not installed, or not for this system: "npm install koffi")/,
    )
  })
  const wrong: [readonly string[], string][] = [
    [["W0"], 'There is no workload "W0"; wanted some of W1 (XOR 2-4-1), W2'],
    [["W1", "--threads", "0"], "Wanted a whole number from 1"],
    [["W1", "--ms", "0"], "Wanted a number above 0"],
  ]
  test.each(wrong)("%j is wrong usage", async (args, message) => {
    const { code, out, err } = await run(["bench", ...args, "--json"])
    expect(code).toBe(2)
    expect(err).toContain(message)
    expect(last(out)).toMatchObject({ event: "error", code: 2 })
  })
  test("Ctrl-C ends it at once", async () => {
    let stopped = false
    const { code } = await run(["bench", "W4", "--ms", "600000"], {
      watch(child, out) {
        if (!stopped && out.includes("Peak")) stopped = child.kill("SIGINT")
      },
    })
    expect(code).toBe(130)
  })
})

describe("timing", () => {
  test("counts whole chunks only, and warms up", () => {
    const calls: number[] = []
    // a microsecond a step: what takes no time at all would be counted up to infinity
    const run = (n: number): void => {
      calls.push(n)
      for (const end = performance.now() + n / 1000; performance.now() < end; );
    }
    const { steps_per_rep, warm_steps, ms } = timeSteps(run, { warmMs: 1, repMs: 1 }, { unit: 8, warmSteps: 64 })
    expect(calls.every(n => n % 8 === 0)).toBe(true)
    expect(warm_steps).toBeGreaterThanOrEqual(64)
    expect(calls.slice(-3)).toEqual([steps_per_rep, steps_per_rep, steps_per_rep])
    expect(ms).toBeGreaterThan(0)
  })
})

describe("numbers", () => {
  test("are those of mulberry32, each from its seed", () => {
    expect([...uniform(3, 1, 0, 2 ** 32)].map(x => Math.fround(x))).toEqual([2693262067, 11749833, 2265367787].map(Math.fround))
    expect([...integers(4, 1, 10)]).toEqual([6, 0, 5, 9])
    expect([...permutation(100, 3)].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i))
  })
})

test("floating-point operations: two for each weight and example forwards, twice as many backwards", () => {
  expect(xor().flops).toBe(6 * (2 * 4 + 4 + 4 * 1 + 1) * 4)
  expect(mlp(SMALL.widths, SMALL.batch, OPTIMIZERS.adam).flops).toBe(6 * 109_386 * 64)
  expect(denseFlops(denseParameters(LARGE.widths), LARGE.batch)).toBe(6 * 1_863_690 * 256)
  expect(lstm.lstm().flops).toBe(6 * ((64 + 128 + 1) * 512 * 32 * 32 + (128 * 10 + 10) * 32))
  const block = 128 * 384 + 384 + 128 * 128 + 128 + 128 * 512 + 512 + 512 * 128 + 128
  const attention = 3 * (2 * 2 * 16 * 64 * 64 * 128)
  expect(transformer(TRANSFORMER).flops).toBe(6 * (2 * block + 128 * 65 + 65) * 16 * 64 + 2 * attention)
})

// Plain JavaScript, in double precision

type Matrix = number[][]
const rowsOf = (x: Tensor): Matrix => x.toArray() as Matrix
const times = (a: Matrix, b: Matrix): Matrix => {
  const n = b[0]!.length
  return a.map(row => {
    const out = new Array<number>(n).fill(0)
    row.forEach((x, k) => {
      const other = b[k]!
      for (let j = 0; j < n; j++) out[j]! += x * other[j]!
    })
    return out
  })
}
const flip = (a: Matrix): Matrix => a[0]!.map((_, j) => a.map(row => row[j]!))
const mapped = (a: Matrix, f: (x: number, i: number, j: number) => number): Matrix => a.map((row, i) => row.map((x, j) => f(x, i, j)))
const columnSums = (a: Matrix): number[] => a[0]!.map((_, j) => a.reduce((sum, row) => sum + row[j]!, 0))
const logistic = (x: number): number => 1 / (1 + Math.exp(-x))

interface Layer {
  readonly w: Matrix
  readonly b: number[]
}
/** Loss and gradients of dense layers by the textbook's formulas. `kind` decides about hidden units and the loss. */
function textbook(layers: readonly Layer[], x: Matrix, y: Matrix | number[], kind: "logistic" | "classes") {
  const hs = [x]
  layers.forEach(({ w, b }, i) => {
    const z = mapped(times(hs[i]!, w), (s, _, j) => s + b[j]!)
    const last = i === layers.length - 1
    hs.push(kind === "logistic" ? mapped(z, logistic) : last ? z : mapped(z, s => Math.max(0, s)))
  })
  const out = hs.at(-1)!
  const n = out.length
  let loss = 0
  let delta: Matrix
  if (kind === "logistic") {
    const t = y as Matrix
    const size = n * out[0]!.length
    delta = mapped(out, (p, i, j) => {
      loss += (p - t[i]![j]!) ** 2 / size
      return ((2 * (p - t[i]![j]!)) / size) * p * (1 - p)
    })
  } else {
    const labels = y as number[]
    delta = out.map((z, i) => {
      const exps = z.map(Math.exp)
      const sum = exps.reduce((a, b) => a + b)
      loss += (Math.log(sum) - z[labels[i]!]!) / n
      return exps.map((e, j) => (e / sum - Number(j === labels[i])) / n)
    })
  }
  const gradients: Layer[] = []
  for (let i = layers.length - 1; i >= 0; i--) {
    gradients.unshift({ w: times(flip(hs[i]!), delta), b: columnSums(delta) })
    const slope = kind === "logistic" ? (h: number) => h * (1 - h) : (h: number) => Number(h > 0)
    const back = times(delta, flip(layers[i]!.w))
    delta = mapped(back, (d, r, c) => d * slope(hs[i]![r]![c]!))
  }
  return { loss, gradients }
}
const flat = (layers: readonly Layer[]): number[] => layers.flatMap(({ w, b }) => [...w.flat(), ...b])
const unflat = (like: readonly Layer[], values: readonly number[]): Layer[] => {
  let next = 0
  return like.map(({ w, b }) => ({ w: mapped(w, () => values[next++]!), b: b.map(() => values[next++]!) }))
}
/** A rule for new parameters from gradients, with a memory of its own. */
const rules = {
  descent(rate: number) {
    return (p: number[], g: number[]) => p.map((x, i) => x - rate * g[i]!)
  },
  momentum(rate: number, beta: number) {
    const v: number[] = []
    return (p: number[], g: number[]) => p.map((x, i) => x - rate * (v[i] = beta * (v[i] ?? 0) + g[i]!))
  },
  adam(rate: number) {
    const [m, v]: [number[], number[]] = [[], []]
    let t = 0
    return (p: number[], g: number[]) => {
      t++
      return p.map((x, i) => {
        m[i] = 0.9 * (m[i] ?? 0) + 0.1 * g[i]!
        v[i] = 0.999 * (v[i] ?? 0) + 0.001 * g[i]! * g[i]!
        return x - (rate * (m[i]! / (1 - 0.9 ** t))) / (Math.sqrt(v[i]! / (1 - 0.999 ** t)) + 1e-8)
      })
    }
  },
}
const layersOf = (values: readonly { readonly w: Tensor; readonly b: Tensor }[]): Layer[] =>
  values.map(({ w, b }) => ({ w: rowsOf(w), b: b.toArray() as number[] }))
const gradientOf = <P extends Tree>({ loss, params, xs, ys }: Task<P>): number[] => numbers(grad(loss)(params, xs[0]!, ys[0]!) as Tree)

describe("W1", () => {
  const parts = () => {
    const task = xor()
    const { w1, b1, w2, b2 } = task.params
    return {
      task,
      layers: layersOf([
        { w: w1, b: b1 },
        { w: w2, b: b2 },
      ]),
      x: rowsOf(task.xs[0]!),
      y: rowsOf(task.ys[0]!),
    }
  }
  test("has the textbook's gradient", () => {
    const { task, layers, x, y } = parts()
    close(gradientOf(task), flat(textbook(layers, x, y, "logistic").gradients), 1e-6)
  })
  test.each([
    ["step by step", stepByStep],
    ["in chunks", (task: ReturnType<typeof xor>) => inChunks(task, 7)],
  ])("trains as plain JavaScript does, %s", (_, begin) => {
    const { task, layers, x, y } = parts()
    const training = begin(task)
    training.run(24)
    const rule = rules.descent(0.5)
    let [net, loss] = [layers, 0]
    for (let i = 0; i < 24; i++) {
      const step = textbook(net, x, y, "logistic")
      loss = step.loss
      net = unflat(net, rule(flat(net), flat(step.gradients)))
    }
    expect(training.loss()).toBeCloseTo(loss, 6)
    close(numbers(training.params()), flat(net), 1e-5)
  })
})

test("W2 trains as plain JavaScript does", () => {
  const training = inChunks(neuron(), 50)
  training.run(220)
  let [w1, w2, b, loss] = [0.1, -0.2, 0, 0]
  for (let i = 0; i < 220; i++) {
    const y = logistic(0.5 * w1 - w2 + b)
    loss = (y - 1) ** 2
    const slope = 2 * (y - 1) * y * (1 - y)
    ;[w1, w2, b] = [w1 - 0.1 * slope * 0.5, w2 + 0.1 * slope, b - 0.1 * slope]
  }
  expect(training.loss()).toBeCloseTo(loss, 5)
  close(numbers(training.params()), [w1, w2, b], 1e-4)
})

describe("W3", () => {
  const cases = [
    ["sgd-momentum", () => rules.momentum(0.01, 0.9), 1e-5],
    ["adam", () => rules.adam(1e-3), 1e-4], // where a gradient is almost 0, Adam looks at its sign
  ] as const
  test.each(cases)("%s trains as plain JavaScript does", (variant, ruleOf, tolerance) => {
    const task = mlp(SMALL.widths, SMALL.batch, OPTIMIZERS[variant])
    let net = layersOf(task.params)
    const [xs, ys] = [task.xs.slice(0, 3).map(rowsOf), task.ys.slice(0, 3).map(y => y.toArray() as number[])]
    close(gradientOf(task), flat(textbook(net, xs[0]!, ys[0]!, "classes").gradients), 1e-6)
    const training = stepByStep(task)
    const rule = ruleOf()
    for (let i = 0; i < 3; i++) {
      training.run(1)
      const { loss, gradients } = textbook(net, xs[i]!, ys[i]!, "classes")
      expect(training.loss()).toBeCloseTo(loss, 5)
      net = unflat(net, rule(flat(net), flat(gradients)))
    }
    close(numbers(training.params()), flat(net), tolerance)
  })
  test("batches come by turns of 64 and 61", () => {
    const { xs, ys } = mlp([2, 10], 1, OPTIMIZERS.adam)
    expect([xs.length, ys.length]).toEqual([64, 61])
    expect([...xs[5]!.values()]).toEqual([...uniform(2, 105, -1, 1)])
    expect([...ys[5]!.values()]).toEqual([...integers(1, 205, 10)])
  })
})

describe("W5", () => {
  const sizes = { batch: 2, image: 10, window: 3, channels: [2, 3] } as const
  test("has the loss of plain JavaScript, and its differences as gradient", () => {
    const task = cnn(sizes)
    const names = ["k1", "b1", "k2", "b2", "w", "b"] as const
    const p = Object.fromEntries(names.map(n => [n, Float64Array.from(task.params[n].values())])) as Record<
      (typeof names)[number],
      Float64Array
    >
    const [x, y] = [Float64Array.from(task.xs[0]!.values()), task.ys[0]!.values()]
    /** Convolution, rectified units and pooling of one image of side n with `cin` channels. */
    const layer = (x: Float64Array, n: number, cin: number, k: Float64Array, b: Float64Array): Float64Array => {
      const [size, cout] = [sizes.window, b.length]
      const m = (n - size + 1) / 2
      const at = (i: number, j: number, o: number): number => {
        let sum = b[o]!
        for (let u = 0; u < size; u++)
          for (let v = 0; v < size; v++)
            for (let c = 0; c < cin; c++) sum += x[((i + u) * n + j + v) * cin + c]! * k[((u * size + v) * cin + c) * cout + o]!
        return Math.max(0, sum)
      }
      const out = new Float64Array(m * m * cout)
      for (let i = 0; i < m; i++)
        for (let j = 0; j < m; j++)
          for (let o = 0; o < cout; o++)
            out[(i * m + j) * cout + o] = Math.max(
              at(2 * i, 2 * j, o),
              at(2 * i, 2 * j + 1, o),
              at(2 * i + 1, 2 * j, o),
              at(2 * i + 1, 2 * j + 1, o),
            )
      return out
    }
    const loss = (): number => {
      let total = 0
      for (let r = 0; r < sizes.batch; r++) {
        const features = layer(layer(x.subarray(r * 100, (r + 1) * 100), 10, 1, p.k1, p.b1), 4, 2, p.k2, p.b2)
        const z = Array.from({ length: 10 }, (_, o) => features.reduce((s, f, i) => s + f * p.w[i * 10 + o]!, p.b[o]!))
        total += Math.log(z.reduce((s, v) => s + Math.exp(v), 0)) - z[y[r]!]!
      }
      return total / sizes.batch
    }
    const [value, gradient] = valueAndGrad(task.loss)(task.params, task.xs[0]!, task.ys[0]!) as [Tensor, Record<string, Tensor>]
    expect(value.item()).toBeCloseTo(loss(), 5)
    for (const n of names) {
      for (const i of [0, p[n].length >> 1, p[n].length - 1]) {
        const [before, h] = [p[n][i]!, 1e-5]
        const [up, down] = [before + h, before - h].map(v => {
          p[n][i] = v
          return loss()
        }) as [number, number]
        p[n][i] = before
        expect(gradient[n]!.values()[i]).toBeCloseTo((up - down) / (2 * h), 4)
      }
    }
  })
})

describe("W6", () => {
  const sizes = { length: 5, inputs: 3, hidden: 4, batch: 2, classes: 3 }
  type Params = ReturnType<typeof lstm.lstm>["params"]
  /** The same without a loop operation, and with the input product inside. */
  const unrolled = ({ wx, wh, b, wo, bo }: Params, x: Tensor, y: Tensor): Tensor => {
    const { length, hidden, batch } = sizes
    let [h, c] = [zeros([batch, hidden]), zeros([batch, hidden])]
    for (let t = 0; t < length; t++) {
      const both = concat([x.slice([t * batch, (t + 1) * batch]), h], { axis: 1 })
      const gates = matmul(both, concat([wx, wh])).add(b)
      const [i, f, g, o] = [0, 1, 2, 3].map(k => gates.slice(":", [k * hidden, (k + 1) * hidden])) as [Tensor, Tensor, Tensor, Tensor]
      c = sigmoid(f)
        .mul(c)
        .add(sigmoid(i).mul(tanh(g)))
      h = sigmoid(o).mul(tanh(c))
    }
    return crossEntropy(matmul(h, wo).add(bo), y)
  }
  test("has loss and gradients of the loop written out", () => {
    const { params, loss, xs, ys } = lstm.lstm(sizes)
    const [value, gradient] = valueAndGrad(loss)(params, xs[0]!, ys[0]!)
    const [wanted, wantedGradient] = valueAndGrad(unrolled)(params, xs[0]!, ys[0]!)
    expect(value.item()).toBeCloseTo(wanted.item(), 6)
    close(numbers(gradient), numbers(wantedGradient), 1e-6)
  })
  test("trains as the loop written out does", () => {
    const [a, b] = [stepByStep(lstm.lstm(sizes)), stepByStep({ ...lstm.lstm(sizes), loss: unrolled })]
    for (const training of [a, b]) training.run(5)
    expect(a.loss()).toBeCloseTo(b.loss(), 5)
  })
})

describe("W7", () => {
  const sizes: Sizes = { letters: 5, width: 4, heads: 2, length: 3, batch: 2, blocks: 2 }
  const task = transformer(sizes)
  const names = leaves(task.params)
  /** The loss place by place, from all parameters in a row. */
  function plain(values: readonly number[], ids: ArrayLike<number>, answers: ArrayLike<number>): number {
    const { width, heads, length, batch, blocks } = sizes
    let next = 0
    const tensors = names.map(({ shape }): Matrix => {
      const [rows, columns] = shape.length === 2 ? (shape as [number, number]) : [1, shape[0]!]
      return Array.from({ length: rows }, () => Array.from({ length: columns }, () => values[next++]!))
    })
    const take = (): Matrix => tensors.shift()!
    const pair = (): [w: Matrix, b: number[]] => [take(), take()[0]!]
    const dense = (x: number[], [w, b]: [Matrix, number[]]): number[] => times([x], w)[0]!.map((s, j) => s + b[j]!)
    const norm = (x: number[], [w, b]: [Matrix, number[]]): number[] => {
      const mean = x.reduce((a, b) => a + b) / x.length
      const variance = x.reduce((a, b) => a + (b - mean) ** 2, 0) / x.length
      return x.map((v, j) => ((v - mean) / Math.sqrt(variance + 1e-5)) * w[0]![j]! + b[j]!)
    }
    const plus = (a: number[], b: number[]): number[] => a.map((x, i) => x + b[i]!)
    const [letters, places] = [take(), take()]
    let x = Array.from(ids, (id, at) => plus(letters[id]!, places[at % length]!))
    for (let k = 0; k < blocks; k++) {
      const [norm1, qkv, project, norm2, widen, narrow] = [pair(), pair(), pair(), pair(), pair(), pair()]
      const all = x.map(v => dense(norm(v, norm1), qkv))
      const each = width / heads
      const looked = x.map((_, at) => {
        const first = at - (at % length)
        return Array.from({ length: heads }, (_, head) => {
          const part = (v: number[], which: number): number[] => v.slice(which * width + head * each, which * width + (head + 1) * each)
          const seen = all.slice(first, at + 1)
          const scores = seen.map(v => part(v, 1).reduce((s, kj, j) => s + kj * part(all[at]!, 0)[j]!, 0) / Math.sqrt(each))
          const exps = scores.map(Math.exp)
          const sum = exps.reduce((a, b) => a + b)
          return part(seen[0]!, 2).map((_, j) => seen.reduce((s, v, i) => s + (exps[i]! / sum) * part(v, 2)[j]!, 0))
        }).flat()
      })
      x = x.map((v, at) => plus(v, dense(looked[at]!, project)))
      x = x.map(v =>
        plus(
          v,
          dense(
            dense(norm(v, norm2), widen).map(s => Math.max(0, s)),
            narrow,
          ),
        ),
      )
    }
    const [last, head] = [pair(), pair()]
    const losses = x.map((v, at) => {
      const z = dense(norm(v, last), head)
      return Math.log(z.map(Math.exp).reduce((a, b) => a + b)) - z[answers[at]!]!
    })
    return losses.reduce((a, b) => a + b) / (batch * length)
  }
  test("has the loss of plain JavaScript, and its differences as gradient", () => {
    const { params, loss, xs, ys } = task
    const [ids, answers] = [xs[0]!.values(), ys[0]!.values()]
    const values = numbers(params)
    const [value, gradient] = valueAndGrad(loss)(params, xs[0]!, ys[0]!)
    expect(value.item()).toBeCloseTo(plain(values, ids, answers), 5)
    const h = 1e-5
    const differences = values.map(
      (v, i) => (plain(values.with(i, v + h), ids, answers) - plain(values.with(i, v - h), ids, answers)) / (2 * h),
    )
    close(numbers(gradient), differences, 2e-5)
  })
})

describe("beside peers", () => {
  const folder = mkdtempSync(join(tmpdir(), "adjoint-peers-"))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const script = resolve("bench/peers.mjs")
  const out = join(folder, "table.md")
  const peers = (...args: readonly string[]) =>
    spawnSync(process.execPath, [script, "--peers-dir", folder, "--out", out, "--warm-ms", "10", "--rep-ms", "10", ...args], {
      encoding: "utf8",
    })
  test("pairs of processes make a table, which grows piece by piece", () => {
    expect(peers()).toMatchObject({ status: 2, stderr: expect.stringContaining("there are no peers in") })
    writeFileSync(join(folder, "harness.mjs"), "")
    for (const [name, rate] of [
      ["jax-js", 1],
      ["synaptic", 0.5],
    ] as const) {
      // biome-ignore format: one line
      mkdirSync(join(folder, name, "node_modules"), { recursive: true })
      const line = { version: "9", status: "ok", variant: name === "synaptic" ? "adam, online" : "adam", value: rate, unit: "steps/s" }
      writeFileSync(join(folder, name, "bench.mjs"), `console.log("@@" + JSON.stringify(${JSON.stringify(line)}))`)
    }
    const first = peers("--workloads", "W3", "--peers", "jax-js,brain1", "--pairs", "2")
    expect([first.status, first.stderr]).toEqual([0, expect.stringContaining("W3 jax-js: pair 2 of 2")])
    expect(first.stderr).toContain("left out: brain.js 1: there is no")
    expect(peers("--workloads", "W3", "--peers", "synaptic", "--pairs", "1").status).toBe(0)
    expect(peers("--workloads", "W3", "--peers", "jax-js,synaptic", "--resume").stderr).not.toContain("pair 1")
    const table = readFileSync(out, "utf8")
    expect(table).toMatch(
      /\| W3 MLP 784-128-64-10, adam \| [\d.,]+ steps\/s \| [\d.,]+ \(.* to .*\) \| [\d.,]+\* \(.*\) \| [\d.,]+ \(jax-js\) \|/,
    )
    expect(table).toMatch(/\| W3 MLP 784-128-64-10, sgd-momentum \| [\d.,]+ steps\/s \| - \| - \| - \|/)
    expect(table).toContain("- \\* synaptic, W3: adam, online")
    const raw = readFileSync(out.replace(".md", ".jsonl"), "utf8")
    expect(events(raw).map(p => [p.name, p.first])).toEqual([
      ["jax-js", "adjoint"],
      ["jax-js", "peer"],
      ["synaptic", "adjoint"],
    ])
  })
  test("wrong names are wrong usage", () => {
    expect(peers("--peers", "torch")).toMatchObject({ status: 2, stderr: expect.stringContaining('there is no peer "torch"; wanted') })
  })
})
