// Decision 14: in deterministic mode the same program gives the same bits everywhere: here and in a browser, and, by
// `npm run test:nodes`, on Node 20, 22 and 24.
import { execFile, execFileSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { build } from "vite"
import { expect, test } from "vitest"

const GOLDEN = "d792336d8b2aef5a5bf37d5bc9a0d6dae2fdd152c6e80a9f99b4c5f9ce3ae213"
const CHROMIUM = "/usr/bin/chromium"

test(`the bits of a deterministic run are the known ones on Node ${process.versions.node}`, () => {
  const hash = execFileSync(process.execPath, ["scripts/golden.mjs"], { encoding: "utf8" }).trim()
  expect(hash).toBe(GOLDEN)
})

/** What a page with this program shows in its body, in headless Chromium. */
async function shown(program: string): Promise<string> {
  const output = await build({
    configFile: false,
    logLevel: "silent",
    plugins: [
      { name: "program", resolveId: id => (id === "program" ? "\0program" : null), load: id => (id === "\0program" ? program : null) },
    ],
    build: { write: false, target: "es2023", modulePreload: false, rolldownOptions: { input: "program" } },
  })
  if (!("output" in output)) throw new Error("one bundle was asked for")
  const files = new Map(output.output.flatMap(c => (c.type === "chunk" ? [[`/${c.fileName}`, c.code]] : [])))
  const entry = output.output.find(c => c.type === "chunk" && c.isEntry)!.fileName
  const server = createServer(({ url }, response) => {
    const code = files.get(url!)
    response.setHeader("content-type", code === undefined ? "text/html" : "text/javascript")
    response.end(code ?? `<!doctype html><body><script type="module" src="/${entry}"></script>`)
  })
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
  const profile = mkdtempSync(join(tmpdir(), "adjoint-chromium-"))
  try {
    const quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic", "--no-first-run"]
    const flags = ["--headless", "--no-sandbox", "--disable-gpu", ...quiet, `--user-data-dir=${profile}`, "--virtual-time-budget=60000"]
    const { port } = server.address() as { port: number }
    const { stdout } = await promisify(execFile)(CHROMIUM, [...flags, "--dump-dom", `http://127.0.0.1:${port}/`], { timeout: 60_000 })
    return /<body>([\s\S]*)<\/body>/
      .exec(stdout)![1]!
      .replace(/<script[\s\S]*?<\/script>/g, "")
      .trim()
  } finally {
    server.close()
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  }
}

test.skipIf(!existsSync(CHROMIUM))(`and in a browser (skipped where there is no ${CHROMIUM})`, async () => {
  const program = `import { golden } from "/scripts/golden-program.mjs"
const show = text => document.body.append(text)
golden().then(show, error => show(String(error)))`
  expect(await shown(program)).toBe(GOLDEN)
})
