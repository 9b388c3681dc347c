// Written modules in Node: what they compute, what they keep, what they refuse. tests/standalone.test.ts runs them elsewhere.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { decodeTarget, encode, fitEncoding, parseCsv, shuffle } from "../data.ts"
import { configure, random, softmax, type Tensor, tensor } from "../index.ts"
import { crossEntropy, squaredError } from "../losses.ts"
import { batchNorm, conv2d, dense, dropout, embedding, flatten, gru, lambda, layerNorm, relu, sequential, tanh } from "../nn.ts"
import { adam, adamw, momentum, rmsprop, schedules } from "../optim.ts"
import { exportStandalone, type StandaloneOptions } from "../standalone.ts"
import { fit, type Loss, type Optimizer, type Trainable, TrainedModel } from "../train.ts"

const dir = mkdtempSync(join(tmpdir(), "adjoint-standalone-"))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
beforeAll(() => configure({ deterministic: true }))

let made = 0
/** The module in a file of its own, loaded by Node. */
async function opened(trained: TrainedModel<any>, options: StandaloneOptions = {}): Promise<any> {
  const name = `m${made++}`
  for (const [file, bytes] of exportStandalone(trained, { name, ...options }))
    writeFileSync(join(dir, file.replace(/\.js$/, ".mjs")), bytes)
  return import(/* @vite-ignore */ pathToFileURL(join(dir, `${name}.mjs`)).href)
}
/** The model as `fit` starts with it. */
function fresh<M extends Trainable>(model: M, inShape: readonly number[], seed = 0): TrainedModel<M> {
  const { params, state } = model.init(random.fold(random.key(seed), 0), inShape)
  return new TrainedModel(model, params, state, inShape)
}
const bits = (x: ArrayLike<number>): number[] => [...new Uint32Array(Float32Array.from(x).buffer)]
const rowsOf = (x: Tensor): any[] => Array.from({ length: x.shape[0]! }, (_, i) => x.at(i).values())
const noise = (...shape: number[]): Tensor => random.normal(random.key(9), shape)
const table = noise(4)

describe("predict", () => {
  const models: readonly (readonly [name: string, model: any, inShape: number[], options?: StandaloneOptions, x?: Tensor])[] = [
    ["dense", sequential(dense(7, 5), relu(), dense(5, 3)), [7]],
    ["one output", dense(3, 1), [3]],
    ["products large enough for tiles", sequential(dense(200, 100), tanh(), dense(100, 10)), [200], { separate: true }],
    ["convolutions", sequential(conv2d(2, 4, 3), relu(), flatten(), dense(4 * 4 * 4, 2)), [6, 6, 2]],
    ["state", sequential(dense(4, 4), batchNorm(4), layerNorm(4)), [4]],
    ["loops", sequential(gru(3, 5), dense(5, 2)), [4, 3]],
    [
      "values from outside",
      sequential(
        dense(4, 4),
        lambda((x: Tensor) => x.add(table)),
      ),
      [4],
      { rows: 7 },
    ],
    [
      "tokens",
      sequential(embedding(5, 4), flatten(), dense(12, 2)),
      [3],
      { dtype: "i32" },
      tensor(
        new Int32Array(70 * 3).map((_, i) => i % 5),
        { shape: [70, 3] },
      ),
    ],
  ]
  test.each(models)(
    "%s: the bits of predict, for one row and for pieces of 32",
    async (_name, model, inShape, options = {}, x = noise(70, ...inShape)) => {
      const trained = fresh(model, inShape)
      const { predict, outputs, info } = await opened(trained, options)
      const n = options.rows ?? 32
      const rows = rowsOf(x)
      const wanted = (from: number, to: number): number[] => bits(trained.predict(x.slice([from, to])).values())
      expect(bits(predict(rows.slice(0, n).flatMap(r => [...r])))).toEqual(wanted(0, n))
      expect(bits(predict(rows[0]))).toEqual(wanted(0, 1))
      const many = predict(rows) as Float32Array[]
      expect(many.length).toBe(70)
      expect(bits(many.slice(n, 2 * n).flatMap(r => [...r]))).toEqual(wanted(n, 2 * n))
      // the last piece is filled up
      expect(bits(predict(rows.slice(0, n + 1)).at(-1))).toEqual(bits(predict([rows[n]!, rows[0]!])[0]))
      expect(outputs(rows[3])).toEqual(predict(rows[3]))
      expect(info).toMatchObject({ inShape, outShape: trained.predict(x).shape.slice(1) })
    },
  )

  test("takes numbers in rows, and says what it wants", async () => {
    const { predict } = await opened(fresh(dense(2, 1), [2]))
    expect(predict([1, 2])).toBeInstanceOf(Float32Array)
    expect(predict([[1, 2], new Float64Array([1, 2])])).toHaveLength(2)
    for (const [x, error, words] of [
      [[1, 2, 3], RangeError, "x: wanted 2 numbers a row; got 3"],
      [[[1, 2], [3]], RangeError, "wanted 2 numbers in row 2; got 1"],
      [[[1, 2], "ab"], TypeError, "row 2; got something else"],
      [[1, Number.NaN], RangeError, "row 1, number 2 is NaN"],
      [[1, 1e39], RangeError, "number 2 is 1e+39; wanted finite numbers of 32 bits"],
      [[], TypeError, "an empty list"],
      ["1,2", TypeError, "got string"],
      [null, TypeError, "got null"],
      [{ a: 1 }, TypeError, "got object"],
    ] as const) {
      expect(() => predict(x)).toThrow(error)
      expect(() => predict(x)).toThrow(words)
    }
  })
})

describe("with the encoding of a table", () => {
  const csv = parseCsv(
    `size,kind,__proto__,answer\n${Array.from({ length: 40 }, (_, i) => `${i},${"abc"[i % 3]},${i % 4},${i % 2 ? "yes" : "no"}`).join("\n")}\n`,
  )
  const encodings = {
    classes: fitEncoding(csv, { target: "answer" }),
    numbers: fitEncoding(csv, { target: "size" }),
  }
  test("rows by column, answers in the target's terms", async () => {
    const encoding = encodings.classes
    const { x, features } = encode(encoding, csv)
    const trained = fresh(sequential(dense(features, 6), relu(), dense(6, 2)), [features])
    const { predict, info } = await opened(trained, { encoding })
    const records = Array.from({ length: 40 }, (_, i) =>
      JSON.parse(`{"size": ${i}, "kind": "${"abc"[i % 3]}", "__proto__": "${i % 4}", "more": 1}`),
    )
    const p = softmax(trained.predict(tensor(x.slice(0, 32 * features), { shape: [32, features] })))
    const answers = predict(records.slice(0, 32))
    answers.forEach((answer: any, i: number) => {
      const own = [...p.at(i).values()].map(v => Number(v.toPrecision(6)))
      expect(answer).toEqual({ prediction: own[0]! >= own[1]! ? "no" : "yes", probabilities: { no: own[0], yes: own[1] } })
    })
    expect(predict(records[5]).prediction).toBe(answers[5].prediction)
    expect(info).toMatchObject({ columns: ["size", "kind", "__proto__"], target: "answer", classes: ["no", "yes"] })
    for (const [row, words] of [
      [{ kind: "a", Size: 1 }, 'row 1: column "size" is missing. Is it "Size"?'],
      [{ size: 1, kind: "a" }, 'column "__proto__" is missing'],
      [{ ...records[0], size: "much" }, 'row 1, column "size": wanted a number, got "much"'],
      [{ ...records[0], size: true }, 'column "size": wanted a finite number, got true'],
      [{ ...records[0], size: 1e300 }, 'column "size": "1e+300" is out of all proportion'],
      [{ ...records[0], kind: {} }, 'column "kind": wanted a text or a number, got an object'],
      [[1, 2], "row 1: wanted an object"],
      [7, "row 1: wanted an object with the columns"],
    ] as const) {
      expect(() => predict(Array.isArray(row) ? [row] : row)).toThrow(words)
    }
    expect(predict({ ...records[0], size: null, kind: "never seen" }).prediction).toMatch(/yes|no/)
  })
  test("a number, in its own unit", async () => {
    const encoding = encodings.numbers
    const { x, features } = encode(encoding, csv, { rows: Int32Array.of(3) })
    const trained = fresh(dense(features, 1), [features])
    const { predict } = await opened(trained, { encoding })
    const [wanted] = decodeTarget(encoding, trained.predict(tensor(x, { shape: [1, features] })).values())
    expect(predict(JSON.parse('{"kind": "a", "__proto__": 3, "answer": "yes"}'))).toEqual({
      prediction: Number((wanted as number).toPrecision(7)),
    })
  })
  test("steps take names of classes", async () => {
    const encoding = encodings.classes
    const { features } = encode(encoding, csv)
    const trained = fresh(dense(features, 2), [features])
    const m = await opened(trained, { encoding, trainable: { loss: crossEntropy, optimizer: adam(0.1), batchSizes: [1, 2] } })
    const [a, b] = [JSON.parse('{"size": 1, "kind": "a", "__proto__": 1}'), JSON.parse('{"size": 30, "kind": "b", "__proto__": 2}')]
    const first = m.step([a, b], ["no", "yes"])
    for (let i = 0; i < 50; i++) m.step([a, b], ["no", "yes"])
    expect(m.step(a, "no")).toBeLessThan(first / 5)
    expect([m.predict(a).prediction, m.predict(b).prediction]).toEqual(["no", "yes"])
    expect(() => m.step(a, "maybe")).toThrow('answer 1 ("answer"): wanted one of the classes "no", "yes", got "maybe"')
    expect(() => m.step([a, b], ["no"])).toThrow("wanted as many answers as rows; got 1 for 2")
    expect(() => m.step([a, b, a], ["no", "yes", "no"])).toThrow("wanted 1 or 2 rows; got 3")
  })
})

test("with the encoding of images: pixels in, classes out", async () => {
  const encoding = { kind: "images", shape: [2, 2], scale: 1 / 255, target: { name: "label", kind: "class", values: ["0", "1", "2"] } }
  const trained = fresh(sequential(dense(4, 3)), [4])
  const { predict } = await opened(trained, { encoding })
  const pixels = Uint8Array.of(0, 255, 10, 20)
  const logits = trained.predict(
    tensor(
      Float32Array.from(pixels, p => p * (1 / 255)),
      { shape: [1, 4] },
    ),
  )
  expect(Object.values(predict(pixels).probabilities)).toEqual([...softmax(logits).values()].map(p => Number(p.toPrecision(6))))
  expect(predict([pixels, pixels])).toHaveLength(2)
})

describe("step, save and load", () => {
  const classes = { shape: [], dtype: "i32" } as const
  const trainings: readonly (readonly [name: string, model: any, loss: Loss, optimizer: Optimizer, classes: boolean])[] = [
    ["Adam", sequential(dense(20, 64), relu(), dense(64, 3)), crossEntropy, adam(1e-2), true],
    [
      "AdamW with a schedule, dropout",
      sequential(dense(20, 16), dropout(0.3), relu(), dense(16, 3)),
      crossEntropy,
      adamw(schedules.linear(1e-2, { steps: 300 })),
      true,
    ],
    ["momentum, state of layers", sequential(dense(20, 16), batchNorm(16), dense(16, 2)), squaredError, momentum(0.05), false],
    ["RMSprop, loops", sequential(gru(5, 6), dense(6, 2)), squaredError, rmsprop(1e-2), false],
  ]
  test.each(trainings)("%s: 200 steps have the bits of fit", async (_name, model, loss, optimizer, named) => {
    const inShape = model.config.layers[0].kind === "gru" ? [4, 5] : [20]
    const x = noise(64, ...inShape)
    const labels = Int32Array.from({ length: 64 }, (_, i) => (i * i) % 3)
    const y = named ? tensor(labels) : noise(64, 2)
    const { result } = fit(model, { x, y }, { loss, optimizer, epochs: 25, batchSize: 8, seed: 3 })
    const start = fresh(model, inShape, 3)
    const m = await opened(start, { trainable: { loss, optimizer, batchSizes: [8], seed: 3, ...(named && { target: classes }) } })
    const [xs, ys] = [rowsOf(x), named ? [...labels] : rowsOf(y)]
    let steps = 0
    let middle: Uint8Array | undefined
    const epoch = (e: number): void => {
      const order = shuffle(64, 3, e)
      for (let i = 0; i < 64; i += 8, steps++) {
        const rows = [...order.subarray(i, i + 8)]
        expect(
          Number.isFinite(
            m.step(
              rows.map(r => xs[r]),
              rows.map(r => ys[r]),
            ),
          ),
        ).toBe(true)
      }
    }
    for (let e = 1; e <= 25; e++) {
      epoch(e)
      if (e === 20) middle = m.save()
    }
    expect(steps).toBe(200)
    const trained = await result
    const wanted = bits(trained.predict(x.slice([0, 32])).values())
    const probe = xs.slice(0, 32)
    const now = (): number[] => bits(m.predict(probe).flatMap((r: Float32Array) => [...r]))
    expect(now()).toEqual(wanted)
    expect(wanted).not.toEqual(bits(start.predict(x.slice([0, 32])).values()))
    // from the middle again: optimizer, state and the number of the step are saved
    m.load(middle)
    expect(now()).not.toEqual(wanted)
    for (let e = 21; e <= 25; e++) epoch(e)
    expect(now()).toEqual(wanted)
  })

  test("load refuses what is damaged and changes nothing", async () => {
    const options = { trainable: { loss: squaredError, optimizer: adam(0.1), batchSizes: [2] } }
    const m = await opened(fresh(dense(3, 2), [3]), options)
    const other = await opened(fresh(dense(3, 2), [3]), { trainable: { ...options.trainable, optimizer: rmsprop(0.1) } })
    const same = await opened(fresh(dense(3, 2), [3], 5), { ...options, separate: true })
    const [x, y] = [
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      [
        [1, 0],
        [0, 1],
      ],
    ]
    m.step(x, y)
    const good = m.save() as Uint8Array
    const before = m.predict([1, 2, 3])
    m.step(x, y)
    const after = m.predict([1, 2, 3])
    const changed = (at: number): Uint8Array => good.slice().map((b, i) => (i === at ? b ^ 1 : b))
    for (const [bytes, words] of [
      [good.slice(0, -1), "cut or joined"],
      [new Uint8Array([...good, 0]), "cut or joined"],
      [good.slice(0, 10), "too few"],
      [new Uint8Array(0), "too few"],
      [changed(0), "not from save()"],
      [changed(4), "format"],
      [changed(12), "cut or joined"],
      [changed(16), "checksum"],
      ...Array.from({ length: 20 }, (_, i) => [changed(20 + i * 7), "damaged"] as const),
      [other.save(), "another model or optimizer"],
      [[...good], "Uint8Array"],
      [good.buffer, "Uint8Array"],
      [undefined, "Uint8Array"],
    ] as const)
      expect(() => m.load(bytes)).toThrow(words)
    expect(m.predict([1, 2, 3])).toEqual(after)
    m.load(good)
    expect(m.predict([1, 2, 3])).toEqual(before)
    // what one module has learned goes into another of the same model
    same.load(good)
    expect(same.predict([1, 2, 3])).toEqual(before)
  })

  test("what is no answer is refused before anything changes", async () => {
    const m = await opened(fresh(dense(2, 3), [2]), { trainable: { loss: crossEntropy, optimizer: adam(0.1), target: classes } })
    const before = m.save()
    expect(() => m.step([1, 2], [0.5])).toThrow("y: row 1, number 1 is 0.5; wanted whole numbers of 32 bits")
    expect(() => m.step([1, 2], [Number.NaN])).toThrow("y: row 1, number 1 is NaN")
    expect(() => m.step([1, Number.POSITIVE_INFINITY], 1)).toThrow("x: row 1, number 2 is Infinity")
    expect(m.save()).toEqual(before)
    expect(m.step([1, 2], 2)).toBeGreaterThan(0)
    expect(m.save()).not.toEqual(before)
  })
})

describe("files", () => {
  const trained = fresh(dense(300, 100), [300])
  test("one or two, the weights in them once", () => {
    const weights = 4 * 30_100
    const one = exportStandalone(trained, { name: "a" })
    expect([...one.keys()]).toEqual(["a.js", "a.d.ts"])
    expect(one.get("a.js")!.length).toBeLessThan((4 / 3) * weights + 30_000)
    const two = exportStandalone(trained, { name: "a", separate: true })
    expect([...two.keys()]).toEqual(["a.js", "a.d.ts", "a.wasm"])
    expect(WebAssembly.validate(two.get("a.wasm") as Uint8Array<ArrayBuffer>)).toBe(true)
    expect(two.get("a.wasm")!.length).toBeLessThan(weights + 12_000)
    // a new optimizer's state is zeros, which take no place
    const learning = exportStandalone(trained, { name: "a", separate: true, trainable: { loss: squaredError, optimizer: adam(1e-3) } })
    expect(learning.get("a.wasm")!.length).toBeLessThan(weights + 45_000)
    const code = new TextDecoder().decode(two.get("a.js")!)
    expect(code).not.toMatch(/\beval\b|new Function|import [^(]/)
  })
  test("the same model gives the same bytes", () => {
    expect(exportStandalone(trained)).toEqual(exportStandalone(trained))
  })
  const refusals: readonly (readonly [options: any, words: string])[] = [
    [{ name: "../a" }, "`name` must be the name of a file"],
    [{ dtype: "f16" }, '`dtype` must be "f32"'],
    [{ rows: 0 }, "`rows` must be a whole number from 1; got 0"],
    [{ trainable: { optimizer: adam(1) } }, "`trainable.loss` must be a function"],
    [{ trainable: { loss: squaredError } }, "`trainable.optimizer` must be an optimizer"],
    [{ trainable: { loss: squaredError, optimizer: adam(1), batchSizes: [] } }, "`trainable.batchSizes` must be a list"],
    [{ trainable: { loss: squaredError, optimizer: adam(1), seed: -1 } }, "`trainable.seed`"],
    [{ encoding: { inputs: [] } }, "damaged"],
    [{ encoding: { kind: "images" } }, "damaged"],
  ]
  test.each(refusals)("%j is refused", (options, words) => {
    expect(() => exportStandalone(trained, options)).toThrow(words)
  })
  test("what is no trained model is refused", () => {
    expect(() => exportStandalone(dense(1, 1) as never)).toThrow("wants a trained model")
  })
})
