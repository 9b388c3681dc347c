// `adjoint serve` as its clients see it: answers, what is refused and why, limits, and how it ends.
import { type ChildProcess, spawn } from "node:child_process"
import { request } from "node:http"
import { connect } from "node:net"
import { resolve } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { events, flowers, workplace } from "./cli-process.ts"

const { at, write, writeImages, run, remove } = workplace()
const servers = new Set<ChildProcess>()
afterAll(() => {
  for (const child of servers) child.kill("SIGKILL")
  remove()
})

interface Served {
  readonly url: string
  readonly child: ChildProcess
  readonly out: () => string
  readonly err: () => string
  readonly ended: Promise<number | null>
}
/** A server on a free port, in a process of its own. */
function serve(...args: string[]): Promise<Served> {
  const child = spawn(process.execPath, [resolve("dist/cli/main.js"), "serve", ...args, "--port", "0", "--json"], { cwd: at() })
  servers.add(child)
  let [out, err] = ["", ""]
  const ended = new Promise<number | null>(done => child.on("close", done))
  child.stderr.on("data", chunk => (err += chunk))
  return new Promise((done, failed) => {
    child.stdout.on("data", chunk => {
      out += chunk
      const url = /"url":"([^"]+)"/.exec(out)?.[1]
      if (url) done({ url, child, out: () => out, err: () => err, ended })
    })
    child.on("close", code => failed(new Error(`serve ended with ${code}: ${err}`)))
  })
}
const post = async (url: string, body: unknown, headers: Record<string, string> = { "content-type": "application/json" }) => {
  const response = await fetch(`${url}/predict`, {
    method: "POST",
    headers,
    body: typeof body === "string" || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
  })
  return { status: response.status, json: (await response.json()) as any, response }
}

let flower: Served
beforeAll(async () => {
  write("flowers.csv", flowers())
  writeImages("shapes", { train: 200, t10k: 40 })
  const train = (...args: string[]) => run(["train", ...args, "--epochs", "5", "--quiet"])
  await Promise.all([train("flowers.csv", "--target", "kind"), train("shapes")])
  flower = await serve("runs/flowers", "--max-rows", "20", "--max-bytes", "5000", "--timeout", "1")
}, 60_000)

const row = { length: 1.25, width: "0.5", color: "red" }

describe("answers", () => {
  test("as predict gives them, for objects and for lists in the order of the columns", async () => {
    write("rows.csv", "length,width,color\n1.25,0.5,red\n6.5,,blue\n")
    const wanted = events((await run(["predict", "runs/flowers", "rows.csv", "--json"])).out).filter(e => e.event === "prediction")
    const { status, json, response } = await post(flower.url, [row, { length: 6.5, width: null, color: "blue", more: {} }])
    expect(status).toBe(200)
    expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8")
    expect(json.predictions.map((p: any) => p.prediction)).toEqual(wanted.map(e => e.prediction))
    json.predictions.forEach((p: any, i: number) => {
      for (const [name, value] of Object.entries(wanted[i].probabilities)) expect(p.probabilities[name]).toBeCloseTo(value as number, 4)
    })
    const lists = await post(flower.url, {
      rows: [
        [1.25, 0.5, "red"],
        ["6.5", "", "blue"],
      ],
    })
    expect(lists.json).toEqual(json)
    expect((await post(flower.url, [row])).json.predictions[0].prediction).toBe(wanted[0].prediction)
  })
  test("say what training has not seen", async () => {
    const { json } = await post(flower.url, [row, { ...row, color: "green" }])
    expect(json.warnings).toEqual([expect.stringContaining('row 2, column "color": "green" was not seen in training')])
  })
  test("images are lists of pixels", async () => {
    const { url, child, ended } = await serve("runs/shapes")
    const left = Array.from({ length: 16 }, (_, i) => (i % 4 < 2 ? 220 : 20))
    expect((await post(url, [left, left.toReversed()])).json.predictions.map((p: any) => p.prediction)).toEqual(["0", "1"])
    expect(await post(url, [left, [1, 2]])).toMatchObject({
      status: 400,
      json: { error: { message: "rows: wanted 16 numbers in row 2; got 2" } },
    })
    expect((await post(url, [left.map(String)])).status).toBe(400)
    expect((await post(url, left)).json.error.message).toContain("row 1: wanted a list of 16 numbers")
    expect(await (await fetch(url)).json()).toMatchObject({ input: { kind: "images", shape: [4, 4], pixels: 16 } })
    child.kill("SIGTERM")
    expect(await ended).toBe(0)
  })
  test("GET / says what the model takes, GET /health that it runs", async () => {
    expect(await (await fetch(flower.url)).json()).toEqual({
      input: {
        kind: "table",
        columns: [
          { name: "length", kind: "number" },
          { name: "width", kind: "number" },
          { name: "color", kind: "category", values: ["blue", "red", "white"] },
        ],
      },
      target: { name: "kind", kind: "class", values: ["aster", "daisy", "tulip"] },
      limits: { rows: 20, bytes: 5000 },
    })
    expect(await (await fetch(`${flower.url}/health?x=1`)).json()).toEqual({ status: "ok" })
    const head = await fetch(`${flower.url}/health`, { method: "HEAD" })
    expect([head.status, await head.text()]).toEqual([200, ""])
  })
})

describe("refuses", () => {
  const json = { "content-type": "application/json" }
  const requests: readonly (readonly [what: string, body: unknown, status: number, words: string, headers?: Record<string, string>])[] = [
    ["a missing column", [row, { width: 1, color: "red", lenght: 1 }], 400, 'row 2: column "length" is missing. Is it "lenght"?'],
    ["a text for a number", [{ ...row, length: "long" }], 400, 'row 1, column "length": wanted a number, got "long"'],
    ["a boolean for a number", [{ ...row, length: true }], 400, 'row 1, column "length": wanted a finite number, got true'],
    ["an object for a category", [{ ...row, color: { a: 1 } }], 400, 'row 1, column "color": wanted a text or a number, got an object'],
    ["a number out of proportion", [{ ...row, length: 1e300 }], 400, 'column "length": "1e+300" is out of all proportion'],
    ["a list of another length", [[1, 2]], 400, 'row 1: wanted 3 values, of the columns "length", "width", "color"; got 2'],
    ["no row", ["red"], 400, "row 1: wanted an object with the columns"],
    ["properties that are inherited", '[{"__proto__": {"length": 1, "width": 1, "color": "red"}}]', 400, 'column "length" is missing'],
    ["rows that are inherited", '{"__proto__": {"rows": []}}', 400, "wanted a list of rows"],
    ["an empty list", [], 400, "wanted at least one row"],
    ["no list", 7, 400, "wanted a list of rows"],
    ["no JSON", "{length: 1}", 400, "the body is not JSON in UTF-8"],
    ["an empty body", "", 400, "the body is not JSON in UTF-8"],
    ["no UTF-8", Uint8Array.of(0x5b, 0x22, 0xff, 0x22, 0x5d), 400, "the body is not JSON in UTF-8"],
    ["deep nesting", "[".repeat(2400) + "]".repeat(2400), 400, "row 1: wanted"],
    ["too many rows", Array(21).fill(row.color), 413, "wanted at most 20 rows, got 21"],
    ["too many bytes", "x".repeat(5001), 413, "larger than 5000 bytes"],
    ["another type", "length=1", 415, "wanted content-type application/json, got text/plain", { "content-type": "text/plain" }],
    ["a compressed body", "x", 415, "got content-encoding gzip", { ...json, "content-encoding": "gzip" }],
  ]
  test.each(requests.map(r => [r[0], r] as const))("%s", async (_what, [, body, status, words, headers = json]) => {
    const answer = await post(flower.url, body, headers)
    expect(answer.json).toEqual({ error: { status, message: expect.stringContaining(words) } })
    expect(answer.status).toBe(status)
  })
  test.each([
    ["GET", "/predict", 405, "/predict takes POST, not GET"],
    ["POST", "/", 405, "/ takes GET, not POST"],
    ["DELETE", "/health", 405, "/health takes GET, not DELETE"],
    ["GET", "/constructor", 404, "there is nothing at /constructor"],
    ["GET", "/../runs/flowers/model.json", 404, "there is nothing at"],
    ["constructor", "/health", 400, "this is no HTTP request"],
  ])("%s %s", async (method, path, status, words) => {
    const text = await raw(flower.url, `${method} ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(text).toContain(words)
    if (status === 405) expect(text).toMatch(/\r\nallow: (GET|POST)\r\n/)
  })
  test("a body without a length that grows too large", async () => {
    const { hostname, port } = new URL(flower.url)
    const answer = await new Promise<string>((done, failed) => {
      const sent = request(
        { hostname, port, path: "/predict", method: "POST", headers: { "content-type": "application/json" } },
        response => {
          let text = `${response.statusCode} `
          response.on("data", chunk => (text += chunk))
          response.on("end", () => done(text))
        },
      )
      sent.on("error", failed)
      for (let i = 0; i < 100; i++) sent.write("x".repeat(1000))
      sent.end()
    })
    expect(answer).toContain("413")
    expect(answer).toContain("larger than 5000 bytes")
  })
  test("a request that does not come to an end", async () => {
    const head = `POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n[`
    const text = await raw(flower.url, head)
    expect(text).toMatch(/^HTTP\/1.1 408 Request Timeout/)
    expect(text).toContain("took too long")
  })
  test("and goes on, without a word of an error of its own", async () => {
    expect((await post(flower.url, [row])).status).toBe(200)
    expect(flower.err()).toBe("")
  })
})

/** What comes back for bytes, until the connection ends. */
const raw = (url: string, text: string): Promise<string> =>
  new Promise((done, failed) => {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname, () => socket.write(text))
    let got = ""
    socket.on("data", chunk => (got += chunk))
    socket.on("error", failed)
    socket.on("close", () => done(got))
  })

describe("ends", () => {
  test("with Ctrl-C after the requests that run, whoever else is connected", async () => {
    const { url, child, out, ended } = await serve("runs/flowers")
    const { hostname, port } = new URL(url)
    // one that says nothing, one that has been answered and stays, one in the middle of its request
    const silent = raw(url, "")
    await fetch(`${url}/health`)
    const body = JSON.stringify([row])
    const answer = new Promise<string>(done => {
      const socket = connect(Number(port), hostname)
      let got = ""
      socket.on("data", chunk => (got += chunk))
      socket.on("close", () => done(got))
      socket.write(
        `POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`,
      )
      socket.once("data", () => {
        child.kill("SIGINT")
        silent.then(() => socket.write(body))
      })
    })
    expect(await silent).toBe("")
    const text = await answer
    expect(text).toContain("HTTP/1.1 200 OK")
    expect(text).toContain('"prediction"')
    expect(await ended).toBe(0)
    const all = events(out())
    expect(all.map(e => e.event)).toEqual(["listening", "request", "request", "done"])
    expect(all[2]).toMatchObject({ method: "POST", path: "/predict", status: 200, rows: 1 })
  })
  test("a port that is taken, and a folder without a model, are said", async () => {
    const { port } = new URL(flower.url)
    const taken = await run(["serve", "runs/flowers", "--port", port])
    expect(taken).toMatchObject({ code: 2, err: expect.stringContaining(`127.0.0.1:${port} is taken; choose another port`) })
    expect((await run(["serve", "nowhere", "--port", "0"])).code).toBe(2)
    expect((await run(["serve", "runs/flowers", "--port", "70000"])).err).toContain("a port from 0 to 65535")
  })
})
