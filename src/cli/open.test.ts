import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { encode } from "fast-png"
import { parquetWriteBuffer } from "hyparquet-writer"
import { afterAll, beforeAll, expect, test } from "vitest"
import { openData, openImages } from "./open.ts"
import { type ImageEncoding, imageProblem, labelledImages, type ProblemOptions } from "./problem.ts"
import type { ImageSource } from "./source.ts"

const root = mkdtempSync(join(tmpdir(), "adjoint-open-"))
const at = (path: string) => join(root, path)
const png = (level: number) => encode({ width: 6, height: 4, channels: 1, data: new Uint8Array(24).fill(level) })
function put(folder: string, level: number, n: number): void {
  mkdirSync(at(folder), { recursive: true })
  for (let i = 0; i < n; i++) writeFileSync(at(`${folder}/${i}.png`), png(level))
}
beforeAll(() => {
  for (const [name, level] of [
    ["dark", 10],
    ["light", 240],
  ] as const) {
    put(`photos/${name}`, level, 10)
    put(`parts/train/${name}`, level, 4)
    put(`parts/test/${name}`, level, 2)
  }
  put("odd/train/dark", 1, 2)
  put("odd/train/light", 1, 2)
  put("odd/test/grey", 1, 2)
  writeFileSync(at("t.parquet"), new Uint8Array(parquetWriteBuffer({ columnData: [{ name: "a", data: [1, 2], type: "DOUBLE" }] })))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const options: ProblemOptions = { seed: 1, test: 0.2, validation: 0.1 }
const images = async (folder: string, shaping = {}) => (await openData(at(folder), shaping)) as ImageSource

test("a folder for each class: classes by name, the form of the first image, rows held out", async () => {
  const source = await images("photos")
  expect([source.name, source.whole]).toEqual(["photos", true])
  const problem = imageProblem(source, options)
  expect(problem.target).toEqual({ name: "label", kind: "class", values: ["dark", "light"] })
  expect((problem.encoding as ImageEncoding).shape).toEqual([4, 6, 1])
  expect([problem.train.x.rows, problem.validation?.x.rows, problem.test()?.x.rows]).toEqual([14, 2, 4])
  const row = new Float32Array(24)
  problem.train.x.read(Int32Array.of(0), row)
  expect([...row]).toEqual(Array(24).fill(Math.fround((problem.train.answers[0] === 0 ? 10 : 240) / 255)))
})
test("folders train and test, and the form that flags say", async () => {
  const source = await images("parts", { imageSize: "2x3", channels: "3" })
  expect([source.whole, source.train().rows, source.test().rows]).toEqual([undefined, 8, 4])
  expect(source.train().shape).toEqual([2, 3, 3])
  expect(imageProblem(source, options).test()?.x.rows).toBe(4)
})
test("a trained model decides the form and the classes", async () => {
  const encoding = imageProblem(await images("photos"), options).encoding as ImageEncoding
  const source = await images("parts", { encoding })
  expect([...labelledImages(encoding, source.test(), "x").answers]).toEqual([0, 0, 1, 1])
  const odd = await images("odd", { encoding })
  expect(() => odd.test()).toThrow('has the class "grey"; the model knows "dark", "light"')
  // also that of a model of images without channels
  for (const shape of [encoding.shape, [4, 6]]) {
    const some = (await openImages(at("photos/dark/3.png"), { ...encoding, shape }))!
    expect([some.rows, some.shape, some.names]).toEqual([1, shape, [at("photos/dark/3.png")]])
  }
  expect((await openImages(at("photos/light"), encoding))!.rows).toBe(10)
  expect((await openImages(at("parts"), encoding))!.rows).toBe(4)
  expect(await openImages(at("t.parquet"), encoding)).toBeUndefined()
})
test("Parquet is a table", async () => {
  const source = await openData(at("t.parquet"))
  expect(source.kind === "table" && [source.name, source.data.look().column("a")]).toEqual(["t", ["1", "2"]])
  await expect(openData(at("t.parquet"), { imageSize: "2x2" })).rejects.toThrow("--image-size is for folders of PNG and JPEG files")
})
