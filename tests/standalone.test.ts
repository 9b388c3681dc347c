// Written modules where they are used: Node, Deno, Bun, and a page in headless Chromium that may run no code but its own files.
import { execFileSync } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import type { Browser } from "playwright-core"
import ts from "typescript"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { imageProblem } from "../src/cli/problem.ts"
import { openSource } from "../src/cli/source.ts"
import { fitEncoding, parseCsv, shuffle } from "../src/data.ts"
import { configure, random, tensor } from "../src/index.ts"
import { crossEntropy } from "../src/losses.ts"
import { dense, relu, sequential } from "../src/nn.ts"
import { adam } from "../src/optim.ts"
import { exportStandalone, type StandaloneOptions } from "../src/standalone.ts"
import { fit, rowsOf, TrainedModel } from "../src/train.ts"
import { hasChromium, launch, unlessAbsent } from "./chromium.ts"

const POLICY = "script-src 'self' 'wasm-unsafe-eval'"
const TYPES: Readonly<Record<string, string>> = {
  js: "text/javascript",
  mjs: "text/javascript",
  wasm: "application/wasm",
  html: "text/html",
}
const [ROWS, PIXELS, BATCH, EPOCHS] = [3200, 784, 32, 2]
const WEIGHTS = 4 * (784 * 128 + 128 + 128 * 10 + 10)

const dir = mkdtempSync(join(tmpdir(), "adjoint-modules-"))
let server: Server
afterAll(() => {
  server?.close()
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
})

const model = sequential(dense(784, 128, { init: "he" }), relu(), dense(128, 10))
const { params: first, state } = model.init(random.fold(random.key(1), 0), [PIXELS])
const training = { loss: crossEntropy, optimizer: adam(1e-3), seed: 1 }
let trained: TrainedModel
let encoding: unknown
let pixels: Uint8Array
let labels: Int32Array
const sizes: Record<string, number> = {}

const write = (t: TrainedModel, options: StandaloneOptions & { name: string }): void => {
  for (const [file, bytes] of exportStandalone(t, { encoding, ...options })) {
    writeFileSync(join(dir, file), bytes)
    sizes[file] = bytes.length
  }
}
const bits = (x: ArrayLike<number>): number[] => [...new Uint32Array(Float32Array.from(x).buffer)]
/** [32, 784] the first digits as the model sees them. */
const digits = () =>
  tensor(
    Float32Array.from(pixels.subarray(0, BATCH * PIXELS), p => p * (1 / 255)),
    { shape: [BATCH, PIXELS] },
  )

beforeAll(async () => {
  configure({ deterministic: true })
  const source = openSource("mnist")
  if (source.kind !== "images") throw new Error("images were asked for")
  const images = source.train()
  encoding = imageProblem({ ...source, train: () => images }, { seed: 0, test: 0, validation: 0 }).encoding
  pixels = (images.pixels as Uint8Array).slice(0, ROWS * PIXELS)
  labels = images.labels.slice(0, ROWS)
  const data = { x: rowsOf(pixels, [PIXELS], { scale: 1 / 255 }), y: rowsOf(labels, [], { dtype: "i32" }) }
  trained = await fit(model, data, { ...training, batchSize: BATCH, epochs: EPOCHS }).result
  write(trained, { name: "mnist", separate: true })
  write(trained, { name: "one" })
  const start = new TrainedModel(model, first, state, [PIXELS])
  const trainable = { ...training, batchSizes: [1, BATCH] }
  write(start, { name: "learns", separate: true, trainable })
  writeFileSync(join(dir, "package.json"), '{ "type": "module" }')
  writeFileSync(join(dir, "digits.bin"), pixels)
  const orders = Array.from({ length: EPOCHS }, (_, e) => [...shuffle(ROWS, 1, e + 1)])
  writeFileSync(join(dir, "labels.json"), JSON.stringify({ labels: [...labels], orders }))
  writeFileSync(join(dir, "probe.js"), PROBE)
  writeFileSync(join(dir, "learn.js"), LEARN)
  writeFileSync(
    join(dir, "node.js"),
    'import { readFileSync } from "node:fs"\nimport { probe } from "./probe.js"\nconsole.log(JSON.stringify(await probe(readFileSync(new URL("./digits.bin", import.meta.url)))))',
  )
  writeFileSync(join(dir, "page.js"), PAGE)
  writeFileSync(join(dir, "page.html"), '<!doctype html><link rel="icon" href="data:,"><script type="module" src="page.js"></script>')
})

/** What is asked of both forms of the module. */
const PROBE = `import * as two from "./mnist.js"
import * as one from "./one.js"
const bits = list => list.flatMap(x => [...new Uint32Array(x.slice().buffer)])
export async function probe(pixels) {
  const rows = Array.from({ length: 45 }, (_, i) => pixels.subarray(784 * i, 784 * i + 784))
  const scaled = rows.map(row => Float32Array.from(row, p => p * (1 / 255)))
  const ask = m => ({ outputs: bits(m.outputs(scaled)), alone: bits([m.outputs(scaled[0])]), answers: m.predict(rows), info: { ...m.info, name: "" } })
  const [a, b] = [ask(two), ask(one)]
  if (JSON.stringify(a) !== JSON.stringify(b)) throw new Error("both forms of the module should say the same")
  return a
}
`
const LEARN = `import { step, save, predict } from "./learns.js"
export function learn(pixels, { labels, orders }) {
  let steps = 0
  const losses = []
  for (const order of orders)
    for (let i = 0; i < order.length; i += ${BATCH}, steps++) {
      const rows = order.slice(i, i + ${BATCH})
      losses.push(step(rows.map(r => pixels.subarray(784 * r, 784 * r + 784)), rows.map(r => labels[r])))
    }
  return { steps, losses, saved: btoa(save().reduce((text, byte) => text + String.fromCharCode(byte), "")), answer: predict(pixels.subarray(0, 784)) }
}
`
const PAGE = `import { probe } from "./probe.js"
import { learn } from "./learn.js"
const bytes = new Uint8Array(await (await fetch("digits.bin")).arrayBuffer())
globalThis.probed = () => probe(bytes)
globalThis.learned = async () => learn(bytes, await (await fetch("labels.json")).json())
globalThis.ready = true
`

/** Where a program is: named by a variable, or on the path. */
const find = (name: string): string | undefined =>
  [process.env[`ADJOINT_${name.toUpperCase()}`], ...(process.env.PATH ?? "").split(delimiter).map(folder => join(folder, name))].find(
    file => file && existsSync(file),
  )

describe("sizes", () => {
  test(`the MNIST model: under 1.5 times its weights, ${WEIGHTS} bytes`, () => {
    const [one, two] = [sizes["one.js"]!, sizes["mnist.js"]! + sizes["mnist.wasm"]!]
    console.log(
      `MNIST model, ${WEIGHTS} bytes of weights: ${one} bytes in one file (${(one / WEIGHTS).toFixed(3)}), ${two} in two (${(two / WEIGHTS).toFixed(3)})`,
    )
    expect(one).toBeLessThan(1.5 * WEIGHTS)
    expect(two).toBeLessThan(1.1 * WEIGHTS)
  })
  test("trainable with Adam: under 60 KB beside the weights", () => {
    const beside = sizes["learns.js"]! + sizes["learns.wasm"]! - WEIGHTS
    console.log(`trainable with Adam: ${beside} bytes beside the weights`)
    expect(beside).toBeLessThan(60_000)
  })
})

describe("predictions", () => {
  /** The bits and answers that all have to give. */
  const wanted = () => ({
    outputs: bits(trained.predict(digits()).values()),
    alone: bits(trained.predict(digits().slice([0, 1])).values()),
  })
  const check = (got: any): void => {
    expect(got.outputs.slice(0, BATCH * 10)).toEqual(wanted().outputs)
    expect(got.alone).toEqual(wanted().alone)
    const right = got.answers.filter((a: any, i: number) => a.prediction === String(labels[i])).length
    expect(right).toBeGreaterThan(40)
  }
  let inNode: any
  test("in Node have the bits of predict in deterministic mode", () => {
    inNode = JSON.parse(execFileSync(process.execPath, [join(dir, "node.js")], { encoding: "utf8" }))
    check(inNode)
  })
  for (const [name, args] of [
    ["deno", ["run", "--no-remote", "--no-config", `--allow-read=${dir}`]],
    ["bun", ["run"]],
  ] as const) {
    const program = find(name)
    const reason = `(skipped where it is neither on the path nor named by ADJOINT_${name.toUpperCase()})`
    test.skipIf(program === undefined)(`in ${name} are the same ${reason}`, () => {
      const out = execFileSync(program!, [...args, join(dir, "node.js")], { encoding: "utf8", cwd: dir })
      expect(JSON.parse(out)).toEqual(inNode)
    })
  }

  describe.skipIf(!hasChromium)(`in a page with the policy ${POLICY} ${unlessAbsent}`, () => {
    let browser: Browser
    let page: Awaited<ReturnType<Browser["newPage"]>>
    beforeAll(async () => {
      server = createServer((request, response) => {
        const file = join(dir, request.url!.slice(1))
        if (!existsSync(file)) return response.writeHead(404).end()
        return response
          .writeHead(200, {
            "content-type": TYPES[file.split(".").at(-1)!] ?? "application/octet-stream",
            "content-security-policy": POLICY,
          })
          .end(readFileSync(file))
      })
      await new Promise<void>(done => server.listen(0, "127.0.0.1", done))
      browser = await launch()
      page = await browser.newPage()
      const heard: string[] = []
      page.on("console", m => heard.push(m.text()))
      page.on("pageerror", e => heard.push(String(e)))
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/page.html`)
      await page.waitForFunction("globalThis.ready === true", undefined, { timeout: 20_000 }).catch(() => {})
      expect(heard).toEqual([])
    }, 60_000)
    afterAll(() => browser?.close())

    test("the policy holds", async () => {
      // strings given to the page are run by the debugger, which no policy binds; timers of the page are bound by it
      const refused = await page.evaluate(
        () =>
          new Promise<boolean>(done => {
            document.addEventListener("securitypolicyviolation", () => done(true), { once: true })
            setTimeout("globalThis.evaluated = true" as never, 0)
            setTimeout(() => done(false), 500)
          }),
      )
      expect([refused, await page.evaluate("globalThis.evaluated")]).toEqual([true, undefined])
    })
    test("are the same", async () => {
      expect(await page.evaluate(() => (globalThis as any).probed())).toEqual(inNode)
    })
    test("200 steps of Adam have the bits of fit", async () => {
      const { steps, losses, saved, answer } = await page.evaluate(() => (globalThis as any).learned())
      expect(steps).toBe(200)
      expect(losses.at(-1)).toBeLessThan(losses[0] / 2)
      const bytes = Buffer.from(saved, "base64")
      const { params } = trained as any
      for (const { w, b } of [params.layers?.[0] ?? params[0], params.layers?.[2] ?? params[2]])
        for (const t of [w, b])
          expect(bytes.indexOf(Buffer.from(t.values().buffer, t.values().byteOffset, t.values().byteLength))).toBeGreaterThan(0)
      const one = trained.predict(digits().slice([0, 1])).values()
      expect(answer.prediction).toBe(String(one.indexOf(Math.max(...one))))
    })
  })
})

test("declarations are right for editors", () => {
  const csv = parseCsv(
    `size,"a ""b"" */ \\n",kind\n${Array.from({ length: 9 }, (_, i) => `${i},${"xyz"[i % 3]},${i % 2 ? "yes" : "no"}`).join("\n")}\n`,
  )
  const table = new TrainedModel(dense(4, 2), dense(4, 2).init(random.key(1), [4]).params, {}, [4])
  const trainable = { ...training, batchSizes: [1] }
  write(table, { name: "table", encoding: fitEncoding(csv, { target: "kind" }), trainable })
  write(table, { name: "plain", encoding: null, trainable: { ...trainable, target: { shape: [], dtype: "i32" } } })
  const row = `{ size: 1, ${JSON.stringify(csv.columns[1])}: "x" }`
  const source = `import * as t from "./table.js"
import * as m from "./mnist.js"
import * as p from "./plain.js"
const kind: "yes" | "no" = t.predict(${row}).prediction
const all: number = t.predict([${row}])[0]!.probabilities.yes + t.step(${row}, "no") + t.outputs([1, 2, 3, 4])[0]!
const digit: m.Class = m.predict(new Uint8Array(784)).prediction
const numbers: Float32Array[] = p.predict([[1, 2, 3, 4]])
const loss: number = p.step([1, 2, 3, 4], 1)
t.load(t.save())
// @ts-expect-error
t.predict({ size: 1 })
// @ts-expect-error
t.step(${row}, "maybe")
// @ts-expect-error
m.step
export { kind, all, digit, numbers, loss }
`
  writeFileSync(join(dir, "uses.ts"), source)
  const program = ts.createProgram([join(dir, "uses.ts")], {
    ...{ strict: true, noUncheckedIndexedAccess: true, noEmit: true, types: [], lib: ["lib.es2022.d.ts"], target: ts.ScriptTarget.ES2022 },
    ...{ module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
  })
  expect(ts.getPreEmitDiagnostics(program).map(d => ts.flattenDiagnosticMessageText(d.messageText, "\n"))).toEqual([])
})
