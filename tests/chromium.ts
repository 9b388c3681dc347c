// Headless Chromium of the system, and programs in its pages.
import { existsSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { type Browser, chromium } from "playwright-core"
import { build } from "vite"

const CHROMIUM = "/usr/bin/chromium"
export const hasChromium = existsSync(CHROMIUM)
/** For the names of tests that need it. */
export const unlessAbsent = `(skipped where there is no ${CHROMIUM})`
const QUIET = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]

export const launch = (): Promise<Browser> =>
  chromium.launch({ executablePath: CHROMIUM, args: ["--headless", "--no-sandbox", "--disable-gpu", ...QUIET] })

/**
 * What a program sets as `globalThis.result`, a promise, comes to, in one page for each of `headers` that pages are sent with. The program is
 * bundled as users bundle theirs; its imports are from the project's root.
 */
export async function resultsOf(program: string, headers: readonly Readonly<Record<string, string>>[] = [{}]): Promise<unknown[]> {
  const output = await build({
    configFile: false,
    logLevel: "silent",
    plugins: [
      { name: "program", resolveId: id => (id === "program" ? "\0program" : null), load: id => (id === "\0program" ? program : null) },
    ],
    build: { write: false, target: "es2023", modulePreload: false, rolldownOptions: { input: "program" } },
  })
  if (!("output" in output)) throw new Error("one bundle was asked for")
  const files = new Map(output.output.flatMap(c => (c.type === "chunk" ? [[c.fileName, c.code]] : [])))
  const entry = output.output.find(c => c.type === "chunk" && c.isEntry)!.fileName
  // the first part of a path says which headers, also for what the page loads
  const server = createServer(({ url }, response) => {
    const [, which, ...path] = url!.split("/")
    const code = files.get(path.join("/"))
    response.writeHead(200, { "content-type": code === undefined ? "text/html" : "text/javascript", ...headers[Number(which)] })
    response.end(code ?? `<!doctype html><body><script type="module" src="${entry}"></script>`)
  })
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  const browser = await launch()
  try {
    const results: unknown[] = []
    for (const i of headers.keys()) {
      const page = await browser.newPage()
      const failed = new Promise<never>((_, reject) => page.on("pageerror", reject))
      await page.goto(`http://127.0.0.1:${port}/${i}/`)
      const result = page.waitForFunction("globalThis.result !== undefined").then(() => page.evaluate("globalThis.result"))
      results.push(await Promise.race([result, failed]))
      await page.close()
    }
    return results
  } finally {
    await browser.close()
    server.close()
  }
}
