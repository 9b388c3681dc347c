// Training on data that is read when it is needed.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, test } from "vitest"
import { datasetOf, encode, examplesOf, fitEncoding, type LazyDataset, openTable, parseCsv, sequence } from "../src/data.ts"
import { crossEntropy, squaredError } from "../src/losses.ts"
import { dense, relu, sequential } from "../src/nn.ts"
import { adam } from "../src/optim.ts"
import { accuracy, type FitEvent, fit, rowsOf } from "../src/train.ts"

const dir = mkdtempSync(join(tmpdir(), "adjoint-lazy-"))
afterAll(() => rmSync(dir, { recursive: true }))

const text = `x,kind,y\n${Array.from({ length: 500 }, (_, i) => `${(i * 7) % 100},${"abc"[i % 3]},${(i * 7) % 100 > 50 ? "yes" : "no"}`).join("\n")}\n`
const path = join(dir, "rows.csv")
writeFileSync(path, text)
const table = parseCsv(text)
const encoding = fitEncoding(table, { target: "y" })
const { x, y, features } = encode(encoding, table, { target: true })
const memory = { x: rowsOf(x, [features]), y: rowsOf(y!, [], { dtype: "i32" }) }
const model = sequential(dense(4, 8), relu(), dense(8, 2))
const options = { loss: crossEntropy, optimizer: adam(0.01), epochs: 2, batchSize: 32, seed: 3, metrics: { accuracy } }
const epochs = async (data: Parameters<typeof fit>[1], more = {}) => {
  const run = fit(model, data, { ...options, ...more })
  const events: FitEvent[] = []
  for await (const event of run) if (event.event === "epoch") events.push({ ...event, seconds: 0 })
  return { events, weights: JSON.stringify((await run.result).params) }
}

describe("a file learns what memory learns, bit for bit", () => {
  const more = [
    ["all rows", {}],
    ["a share for validation", { validation: 0.2 }],
    ["validation rows of their own", { validation: memory }],
  ] as const
  test.each(more)("%s", async (_, more) => {
    const file = await openTable(path)
    expect(await epochs(datasetOf(file, encoding), more)).toEqual(await epochs(memory, more))
    file.close()
  })
  test("validation rows of a file", async () => {
    const lazy = datasetOf(await openTable(new Blob([text])), encoding)
    expect(await epochs(memory, { validation: lazy })).toEqual(await epochs(memory, { validation: memory }))
  })
  test("two epochs of another order, the same ones again", async () => {
    const read: number[][] = [[], [], []]
    const lazy = datasetOf(await openTable(path), encoding)
    const load: LazyDataset["load"] = (rows, epoch) => {
      read[epoch]!.push(...rows)
      return lazy.load(rows, epoch)
    }
    const watched = { ...lazy, load }
    await epochs(watched)
    const [, first, second] = read
    for (const order of [first!, second!]) expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 500 }, (_, i) => i))
    expect(first).not.toEqual(second)
    const before = read.map(order => order.splice(0))
    await epochs(watched)
    expect(read).toEqual(before)
  })
})

describe("a sequence of examples", () => {
  const forms = { x: { shape: [1] }, y: { shape: [1] } }
  const lines = sequence(async function* (epoch) {
    asked.push(epoch)
    for (let i = 0; i < 100; i++) yield { x: [i / 100], y: [(3 * i) / 100 + 1] }
  })
  const asked: number[] = []
  test("is counted once, and gone through in each epoch", async () => {
    const data = await examplesOf(lines.shuffle({ seed: 1, buffer: 50 }), forms)
    expect([data.rows, asked]).toEqual([100, [0]])
    const run = fit(dense(1, 1), data, { loss: squaredError, optimizer: adam(0.1), epochs: 60, batchSize: 30 })
    const { params } = await run.result
    expect(asked.slice(1)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1))
    expect((params as { w: { item(): number } }).w.item()).toBeCloseTo(3, 1)
  })
  const bad: [string, () => Promise<LazyDataset>, object, string][] = [
    [
      "fewer the second time",
      () =>
        examplesOf(
          sequence(e => [1, 2, 3].slice(Math.min(e, 1)).map(x => ({ x, y: x }))),
          forms,
        ),
      {},
      "epoch 1 gave 2 examples; wanted 3",
    ],
    [
      "more the second time",
      () =>
        examplesOf(
          sequence(e => [1, 2, 3].slice(e ? 0 : 1).map(x => ({ x, y: x }))),
          forms,
        ),
      {},
      "epoch 1 gave more than 2",
    ],
    ["of another form", () => examplesOf(sequence([{ x: [1, 2], y: 1 }]), forms), {}, "wants x as a number; got 2 elements"],
    ["of text", () => examplesOf(sequence([{ x: "1" as never, y: 1 }]), forms), {}, "wants x as a number; got string"],
    ["a share for validation", () => examplesOf(sequence([{ x: 1, y: 1 }]), forms), { validation: 0.5 }, "in order only"],
    ["none", () => examplesOf(sequence<{ x: number; y: number }>([]), forms), {}, "at least 1 row; got 0"],
    [
      "a load that gives too little",
      async () => ({ ...forms2, rows: 2, load: async () => ({ x: new Float32Array(1), y: new Float32Array(2) }) }),
      {},
      "load gave 1 elements of x for 2 rows; wanted 2",
    ],
  ]
  const forms2 = { x: { shape: [1], dtype: "f32" }, y: { shape: [1], dtype: "f32" } } as const
  test.each(bad)("%s", async (_, data, more, message) => {
    const run = fit(dense(1, 1), await data(), { loss: squaredError, optimizer: adam(0.1), epochs: 1, batchSize: 2, ...more })
    await expect(run.result).rejects.toThrow(TypeError)
    await expect(run.result).rejects.toThrow(message)
  })
})
