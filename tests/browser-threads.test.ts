// Threads in a page that may share memory between them: same bits as without, and workers do take part.
import { existsSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { chromium } from "playwright-core"
import { build } from "vite"
import { expect, test } from "vitest"

const CHROMIUM = "/usr/bin/chromium"
const QUIET = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
const ISOLATED = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" }

/** Twenty steps of a network, then its weights; between the runs the page's event loop turns, so that workers get to start. */
const PROGRAM = `
import { configure, grad, jit, matmul, mean, random, relu, square } from "/src/index.ts"
import { compiler } from "/src/runtime/program.ts"
import { control } from "/src/compile/emit/threads.ts"
configure({ deterministic: true })
const key = random.key(5)
const x = random.normal(key, [256, 200])
const loss = ({ w, v }) => mean(square(matmul(relu(matmul(x, w)), v)))
const step = jit(p => { const g = grad(loss)(p); return { w: p.w.sub(g.w.mul(0.01)), v: p.v.sub(g.v.mul(0.01)) } }, { donate: [0] })
function train() {
  let p = { w: random.normal(random.fold(key, 1), [200, 128]).mul(0.1), v: random.normal(random.fold(key, 2), [128, 32]).mul(0.1) }
  for (let i = 0; i < 20; i++) p = step(p)
  return [...p.w.values(), ...p.v.values()].join()
}
globalThis.result = (async () => {
  const threads = compiler().main.threads
  const first = train()
  if (threads.count === 1) return { isolated: crossOriginIsolated, first, same: true, workers: 0, shared: 0 }
  const words = new Int32Array(threads.heap.memory.buffer)
  const end = performance.now() + 20000
  let [same, shared] = [true, 0]
  while (performance.now() < end && shared === 0) {
    await new Promise(resolve => setTimeout(resolve, 20))
    same &&= train() === first
    shared += words[control.done / 4]
  }
  return { isolated: crossOriginIsolated, first, same, workers: words[control.workers / 4], shared }
})()
`

test.skipIf(!existsSync(CHROMIUM))(
  `an isolated page computes in threads, with the bits of one that is not (skipped where there is no ${CHROMIUM})`,
  { timeout: 120_000 },
  async () => {
    const output = await build({
      configFile: false,
      logLevel: "silent",
      plugins: [
        { name: "program", resolveId: id => (id === "program" ? "\0program" : null), load: id => (id === "\0program" ? PROGRAM : null) },
      ],
      build: { write: false, target: "es2023", modulePreload: false, rolldownOptions: { input: "program" } },
    })
    if (!("output" in output)) throw new Error("one bundle was asked for")
    const files = new Map(output.output.flatMap(c => (c.type === "chunk" ? [[`/${c.fileName}`, c.code]] : [])))
    const entry = output.output.find(c => c.type === "chunk" && c.isEntry)!.fileName
    const server = createServer(({ url }, response) => {
      const code = files.get(url!)
      const isolated = url!.startsWith("/isolated") || code !== undefined
      response.writeHead(200, { "content-type": code === undefined ? "text/html" : "text/javascript", ...(isolated ? ISOLATED : {}) })
      response.end(code ?? `<!doctype html><body><script type="module" src="/${entry}"></script>`)
    })
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
    const { port } = server.address() as AddressInfo
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--headless", "--no-sandbox", "--disable-gpu", ...QUIET] })
    try {
      const results = []
      for (const path of ["isolated", "alone"]) {
        const page = await browser.newPage()
        const errors: string[] = []
        page.on("pageerror", e => errors.push(String(e)))
        await page.goto(`http://127.0.0.1:${port}/${path}`)
        await page.waitForFunction("globalThis.result !== undefined")
        results.push((await page.evaluate("globalThis.result")) as Record<string, unknown>)
        expect(errors).toEqual([])
        await page.close()
      }
      const [isolated, alone] = results
      expect(isolated).toMatchObject({ isolated: true, same: true })
      expect(isolated!.workers).toBeGreaterThan(0)
      expect(isolated!.shared).toBeGreaterThan(0)
      expect(alone).toMatchObject({ isolated: false, workers: 0 })
      expect(isolated!.first === alone!.first).toBe(true)
    } finally {
      await browser.close()
      server.close()
    }
  },
)
