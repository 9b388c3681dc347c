import { createHash } from "node:crypto"
import { describe, expect, test } from "vitest"
import { type Checkpoint, packCheckpoint, unpackCheckpoint } from "./checkpoint.ts"
import { FormatError } from "./errors.ts"
import { MODEL_FILES, type PackedModel, packModel, unpackModel } from "./model.ts"
import { sha256 } from "./sha256.ts"

const model: PackedModel = {
  kind: "model",
  version: "0.1.0",
  architecture: [{ layer: "dense", inputs: 2, outputs: 1 }, { layer: "relu" }],
  encoding: { inputs: [{ name: "age", mean: 0.1, std: 1e-7 }] },
  training: { loss: 0.25, seed: 1 },
  tensors: {
    "0/w": { dtype: "f32", shape: [2, 1], data: new Float32Array([1, -2]) },
    "0/b": { dtype: "f32", shape: [1], data: new Float32Array([0.5]) },
  },
}

test("sha256 is the one that everybody knows", () => {
  for (const text of ["", "abc", "x".repeat(1000)])
    expect(sha256(new TextEncoder().encode(text))).toBe(createHash("sha256").update(text).digest("hex"))
})

test("a model survives its folder", () => {
  const files = packModel(model)
  expect([...files.keys()]).toEqual(MODEL_FILES)
  const { tensors, ...rest } = unpackModel(files)
  expect({ ...rest, tensors: { ...tensors } }).toEqual(model)
})

test("the same model gives the same bytes", () => {
  const reversed = { ...model, tensors: Object.fromEntries(Object.entries(model.tensors).reverse()) }
  expect(packModel(reversed)).toEqual(packModel(model))
})

test("model.json is for people too", () => {
  const json = new TextDecoder().decode(packModel({ ...model, architecture: "none", encoding: "none", training: "none" }).get("model.json"))
  expect(json).toMatchInlineSnapshot(`
    "{
      "adjoint": {
        "format": 2,
        "version": "0.1.0",
        "sha256": "47f634d764c7a927aed09d096a155a7dd8268984fcab9c520271ccc9b424e923"
      },
      "kind": "model",
      "architecture": "none",
      "encoding": "none",
      "training": "none",
      "files": {
        "weights.safetensors": {
          "sha256": "198e5d83005f2fca0e089593b7f5baeda40803868a7f1f76f8fbf624d5fb968d",
          "bytes": 140
        }
      }
    }
    "
  `)
})

/** The files with model.json changed, its checksum made anew as a forger would if `forged`. */
function changed(change: (json: any) => unknown, forged = false): Map<string, Uint8Array> {
  const files = packModel(model)
  const json = JSON.parse(new TextDecoder().decode(files.get("model.json")))
  change(json)
  const { adjoint, ...content } = json
  const { format, version } = adjoint
  if (forged) adjoint.sha256 = sha256(new TextEncoder().encode(JSON.stringify({ format, version, ...content })))
  return files.set("model.json", new TextEncoder().encode(JSON.stringify(json)))
}

function bottomless(): Map<string, Uint8Array> {
  const depth = 100_000
  const lists = "[".repeat(depth) + "]".repeat(depth)
  const json = `{"adjoint":{"format":1,"version":"0.1.0","sha256":""},"kind":"model","architecture":${lists}}`
  return new Map([["model.json", new TextEncoder().encode(json)]])
}

function without(name: string): Map<string, Uint8Array> {
  const files = packModel(model)
  files.delete(name)
  return files
}

function withBytes(name: string, change: (bytes: Uint8Array) => Uint8Array): Map<string, Uint8Array> {
  const files = packModel(model)
  return files.set(name, change(files.get(name)!))
}

describe("unpackModel refuses", () => {
  const cases: [string, Map<string, Uint8Array>, string][] = [
    ["another folder", new Map(), "runs/a has no model.json, so it is not an adjoint model"],
    ["a model without weights", without("weights.safetensors"), "runs/a has no weights.safetensors, so the model is incomplete"],
    [
      "a newer format",
      changed(j => Object.assign(j.adjoint, { format: 3, version: "9.0.0" })),
      "has format 3, written by adjoint 9.0.0; this version reads up to format 2. Update adjoint",
    ],
    ["no format", changed(j => Object.assign(j.adjoint, { format: "1" })), 'runs/a/model.json is damaged: adjoint.format is "1"'],
    ["other JSON", new Map([["model.json", new TextEncoder().encode("[1]")]]), 'it has no field "adjoint"'],
    ["no JSON", withBytes("model.json", bytes => bytes.slice(0, 50)), "runs/a/model.json is not JSON in UTF-8"],
    [
      "a changed number",
      changed(j => Object.assign(j.encoding.inputs[0], { mean: 0.2 })),
      "runs/a/model.json is damaged: its content does not fit its checksum",
    ],
    ["a changed version", changed(j => Object.assign(j.adjoint, { version: "0.1.1" })), "its content does not fit its checksum"],
    [
      "a number written otherwise",
      withBytes("model.json", bytes => new TextEncoder().encode(new TextDecoder().decode(bytes).replace("1e-7", "1E-7"))),
      "its content does not fit its checksum",
    ],
    ["a changed kind", changed(j => Object.assign(j, { kind: "checkpoint" })), "its content does not fit its checksum"],
    ["bottomless nesting", bottomless(), "its content does not fit its checksum"],
    ["no list of files", changed(j => Object.assign(j, { files: [] }), true), "files lists no weights.safetensors"],
    [
      "a flipped bit",
      withBytes("weights.safetensors", bytes => bytes.with(-1, bytes.at(-1)! ^ 1)),
      "runs/a/weights.safetensors is damaged: its content does not fit",
    ],
    ["weights cut off", withBytes("weights.safetensors", bytes => bytes.slice(0, -1)), "runs/a/weights.safetensors is damaged: wanted "],
  ]
  test.each(cases)("%s", (_, files, message) => {
    expect(() => unpackModel(files, "runs/a")).toThrow(FormatError)
    expect(() => unpackModel(files, "runs/a")).toThrow(message)
  })
  test("but not a file that was only indented anew", () => expect(unpackModel(changed(() => 0)).kind).toBe("model"))
})

describe("packModel refuses what JSON would change", () => {
  const cases: [string, unknown, string][] = [
    ["NaN", { a: [Number.NaN] }, "model.training.a[0] cannot be saved: wanted text, finite numbers, lists and plain objects, got NaN"],
    ["a function", { a: () => 0 }, "model.training.a cannot be saved"],
    ["an instance", { a: new Date(0) }, "got object"],
  ]
  test.each(cases)("%s", (_, training, message) => expect(() => packModel({ ...model, training: training as never })).toThrow(message))
})

describe("checkpoints", () => {
  const tensor = (value: number) => ({ dtype: "f32", shape: [1], data: new Float32Array([value]) }) as const
  const checkpoint: Checkpoint = {
    ...{ version: "0.1.0", step: 12, epoch: 1, seed: 7, engine: "wasm", simd: "relaxed", architecture: null, settings: { batch: 64 } },
    ...{ parameters: { "0/w": tensor(1) }, state: {}, optimizer: { "m/0/w": tensor(2), "v/0/w": tensor(3) } },
  }
  test("survive their folder", () => {
    const { parameters, state, optimizer, ...rest } = unpackCheckpoint(packCheckpoint(checkpoint))
    expect({ ...rest, parameters: { ...parameters }, state: { ...state }, optimizer: { ...optimizer } }).toEqual(checkpoint)
  })
  test("are no models", () => expect(() => unpackCheckpoint(packModel(model), "runs/a")).toThrow("runs/a holds a model, not a checkpoint"))
  test("have whole numbers", () => {
    expect(() => unpackCheckpoint(packCheckpoint({ ...checkpoint, step: 1.5 }))).toThrow("step, epoch and seed are whole numbers")
  })
})
