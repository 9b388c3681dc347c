// Explanations as pages: what they hold, and how they behave in headless Chromium.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import katex from "katex"
import type { Browser, Page } from "playwright-core"
import { build } from "vite"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { drawingOf, MOST } from "../src/explain/html/boxes.ts"
import { figureOf } from "../src/explain/html/drawing.ts"
import { Formulas } from "../src/explain/html/formulas.ts"
import { type Katex, loadDagre } from "../src/explain/html/libraries.ts"
import { htmlOf } from "../src/explain/html/page.ts"
import { type Explanation, renderHtml, renderSvg } from "../src/explain.ts"
import { hasChromium, launch, unlessAbsent } from "./chromium.ts"
import { blocked, classified, recurrent, renamed } from "./explanations.ts"
import { enough, LONG } from "./long.ts"

const dir = mkdtempSync(join(tmpdir(), "adjoint-html-"))
afterAll(() => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }))

const explanations: Readonly<Record<string, () => Explanation>> = { classified, recurrent: () => recurrent(3), blocked }
const pages = new Map<string, { e: Explanation; html: string; file: string }>()
beforeAll(async () => {
  for (const [name, make] of Object.entries(explanations)) {
    const e = make()
    const file = join(dir, `${name}.html`)
    const html = await renderHtml(e)
    writeFileSync(file, html)
    pages.set(name, { e, html, file })
  }
})
const hostile = [
  "</script><img src=x onerror=alert(1)>",
  '"><svg onload=alert(1)>',
  "\\href{javascript:alert(1)}{x}",
  "]]>--><script>alert(1)</script>",
  "\\includegraphics{https://example.org/x.png}\\htmlStyle{color:red}{x}",
  "&lt;\u0000\ud800x",
]

describe("the graph", () => {
  test("of many applications has few boxes, which sum up exactly what they put together", () => {
    const e = recurrent(30)
    expect(e.applications.length).toBeGreaterThan(300)
    const { boxes, arrows } = drawingOf(e)
    expect(boxes.length).toBeLessThanOrEqual(MOST)
    expect(boxes.length).toBeGreaterThan(MOST / 2)
    expect(boxes.flatMap(b => b.applications.map(a => a.id))).toEqual(e.applications.map(a => a.id))
    // boxes are runs: arrows lead forwards, and what leaves a box has entered it
    for (const a of arrows) expect(a.from).toBeLessThan(a.to)
    const last = boxes.at(-1)!
    for (const box of boxes) {
      const leaving = arrows.filter(a => a.from === box.id)
      if (box === last) expect(leaving).toEqual([])
      else {
        expect(leaving.reduce((n, a) => n + BigInt(a.count), 0n)).toBe(BigInt(box.count))
        const out = leaving.reduce((sum, a) => sum + a.contribution, 0)
        expect(Math.abs(out - box.contribution)).toBeLessThan(1e-9 * (1 + Math.abs(out)))
      }
    }
    expect(last.count).toBe(e.numberOfPaths)
    expect(last.contribution).toBeCloseTo(e.gradient, 9)
  })
  test("of few has a box for each", () => {
    const { e } = pages.get("recurrent")!
    const { boxes } = drawingOf(e)
    expect(boxes.map(b => b.applications)).toEqual(e.applications.map(a => [a]))
    for (const b of boxes) expect(b.contribution).toBeCloseTo(b.applications[0]!.contribution, 9)
  })
  test("says how many were put together", async () => {
    const dagre = await loadDagre()
    const e = recurrent(30)
    const together = drawingOf(e).boxes.filter(b => b.applications.length > 1)
    const n = together.reduce((sum, b) => sum + b.applications.length, 0)
    expect(figureOf(e, dagre).note).toContain(`${n} of ${e.applications.length} applications are put together in ${together.length} boxes`)
    expect(figureOf(pages.get("classified")!.e, dagre).note).toBe("")
  })
})

describe("text from outside", () => {
  test.each(hostile)("%j is text in pages and graphs", async text => {
    const e = renamed(pages.get("classified")!.e, text)
    for (const markup of [await renderHtml(e), await renderSvg(e)]) {
      expect(
        /<(img|svg onload|script>alert)|<a [^>]*javascript:|onerror=alert\(1\)>|src="?https?:|style="color:red/.exec(markup),
      ).toBeNull()
      expect(markup.includes("\0")).toBe(false)
    }
  })
})

test("without katex's files formulas are MathML alone", async () => {
  const { e } = pages.get("classified")!
  const html = await htmlOf(e, new Formulas(katex as unknown as Katex, undefined), figureOf(e, await loadDagre()))
  expect(html).toContain("<math")
  expect(html).not.toContain("katex-html")
  expect(html).not.toContain("@font-face")
})
test("fonts that no formula uses stay out", () => {
  const fonts = [...pages.get("classified")!.html.matchAll(/@font-face\{[^}]*font-family:"?(KaTeX_\w+)/g)].map(m => m[1])
  expect(fonts).toEqual(expect.arrayContaining(["KaTeX_Main", "KaTeX_Math", "KaTeX_Size2"]))
  expect(fonts).not.toContain("KaTeX_Fraktur")
  expect(fonts.length).toBeLessThan(8)
})

describe.skipIf(!hasChromium)(`in a browser ${unlessAbsent}`, () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launch()
  })
  afterAll(() => browser?.close())

  interface Opened {
    readonly page: Page
    /** Messages of the console, errors of scripts, and all that was asked for but the page itself. */
    readonly heard: string[]
  }
  async function open(file: string, { width = 1280, colorScheme = "light" as "light" | "dark" } = {}): Promise<Opened> {
    const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme })
    const heard: string[] = []
    const url = pathToFileURL(file).href
    page.on("console", m => heard.push(`${m.type()}: ${m.text()}`))
    page.on("pageerror", e => heard.push(String(e)))
    page.on("request", r => {
      if (r.url() !== url && !r.url().startsWith("data:font/woff2;")) heard.push(`asks for ${r.url().slice(0, 100)}`)
    })
    await page.goto(url)
    await page.evaluate(() => document.fonts.ready.then(() => {}))
    return { page, heard }
  }
  const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")
  async function violations(page: Page, exclude: readonly string[] = []): Promise<string[]> {
    await page.evaluate(axe)
    return page.evaluate(async exclude => {
      const { violations } = await (globalThis as any).axe.run({ exclude })
      return violations.map((v: any) => `${v.id}: ${v.nodes.map((n: any) => n.html.slice(0, 120)).join(" ")}`)
    }, exclude)
  }

  const all = [1280, 360].flatMap(width => (["light", "dark"] as const).map(colorScheme => ({ width, colorScheme })))
  const looks = LONG ? all : all.slice(-1)
  test.each(Object.keys(explanations))(
    "%s: at each width, light and dark, no violation, nothing too wide, no word, no request",
    async name => {
      const { page, heard } = await open(pages.get(name)!.file)
      // the insides of formulas are thousands of elements that screen readers are spared: of the largest page they are looked at in the long form
      const insides = [".factors .katex-html"]
      expect(await violations(page, LONG || name !== "recurrent" ? [] : insides)).toEqual([])
      await page.getByRole("button", { name: "Open all" }).click()
      expect(await page.locator("details:not([open])").count()).toBe(0)
      for (const { width, colorScheme } of looks) {
        await page.setViewportSize({ width, height: 800 })
        await page.emulateMedia({ colorScheme })
        expect(await violations(page, insides), `${width} ${colorScheme}`).toEqual([])
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width)
      }
      await page.reload()
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360)
      expect(heard).toEqual([])
      await page.close()
    },
  )

  test.each(Object.keys(explanations))("%s: formulas are set", async name => {
    const { page } = await open(pages.get(name)!.file)
    const { e } = pages.get(name)!
    const factors = e.paths.flatMap(p => p.factors.filter(f => !f.copy)).length
    expect(await page.locator(".katex").count()).toBe(1 + e.paths.length + 2 * factors)
    expect(await page.locator(".katex math").count()).toBe(1 + e.paths.length + 2 * factors)
    expect(await page.locator(".katex-error").count()).toBe(0)
    const fonts = await page.evaluate(() => [...document.fonts].filter(f => f.status === "loaded").map(f => f.family.replaceAll('"', "")))
    expect(fonts).toContain("KaTeX_Main")
    await page.close()
  })

  test("what expands does so by click and by key", async () => {
    const { page } = await open(pages.get("recurrent")!.file)
    const second = page.locator("#paths ~ details").nth(1)
    const table = second.getByRole("table")
    expect(await table.isVisible()).toBe(false)
    await second.locator("summary").first().click()
    expect(await table.isVisible()).toBe(true)
    const layer = page.locator("#parts ~ div > ul > li > details").first()
    await layer.locator("> summary").focus()
    await page.keyboard.press("Enter")
    expect(await layer.getAttribute("open")).toBe("")
    const turn = layer.locator("summary", { hasText: "t=2" }).first()
    expect(await turn.isVisible()).toBe(false)
    await layer.locator("details > summary", { hasText: "lstm" }).first().focus()
    await page.keyboard.press(" ")
    expect(await turn.isVisible()).toBe(true)
    await page.getByRole("button", { name: "Close all" }).focus()
    await page.keyboard.press("Enter")
    expect(await page.locator("details[open]").count()).toBe(0)
    await page.close()
  })

  test("without scripts it expands too, and is printed whole", async () => {
    const context = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 1280, height: 800 } })
    const page = await context.newPage()
    await page.goto(pathToFileURL(pages.get("classified")!.file).href)
    expect(await page.getByRole("button").count()).toBe(0)
    const second = page.locator("#paths ~ details").nth(1)
    await second.locator("summary").click()
    expect(await second.getByRole("table").isVisible()).toBe(true)
    await page.emulateMedia({ media: "print" })
    const third = page.locator("#paths ~ details").nth(2).locator("table")
    expect((await third.boundingBox())!.height).toBeGreaterThan(50)
    await context.close()
  })

  test.each(Object.keys(explanations))("%s: prints, light also where the screen is dark", async name => {
    const { page, heard } = await open(pages.get(name)!.file, { colorScheme: "dark" })
    const pdf = await page.pdf({ format: "A4" })
    expect(pdf.subarray(0, 5).toString()).toBe("%PDF-")
    expect(pdf.length).toBeGreaterThan(10_000)
    // as wide as A4 without its margins, in CSS pixels
    await page.setViewportSize({ width: 672, height: 900 })
    await page.emulateMedia({ media: "print", colorScheme: "dark" })
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe("rgb(255, 255, 255)")
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(672)
    expect(await page.evaluate(() => document.querySelector("svg.adjoint-graph")!.getBoundingClientRect().width)).toBeLessThanOrEqual(672)
    expect(heard).toEqual([])
    await page.close()
  })

  test("text from outside does nothing", async () => {
    for (const [i, text] of enough(hostile, 3).entries()) {
      const e = renamed(pages.get("classified")!.e, text)
      const file = join(dir, `hostile${i}.html`)
      writeFileSync(file, await renderHtml(e))
      const { page, heard } = await open(file)
      await page.getByRole("button", { name: "Open all" }).click()
      expect(await page.locator("img, main script, a[href^='javascript']").count(), text).toBe(0)
      const shown = text.replaceAll(/[\0\ud800]/g, "\ufffd")
      expect(await page.locator("h1").textContent(), text).toBe(`How E changes with ${shown}`)
      expect(heard, text).toEqual([])
      await page.goto(pathToFileURL(svgFile(i, await renderSvg(e))).href)
      expect(await page.evaluate(() => document.documentElement.localName), text).toBe("svg")
      expect(await page.locator("title").first().textContent(), text).toContain(shown)
      await page.close()
    }
  })
  const svgFile = (i: number, svg: string): string => {
    const file = join(dir, `hostile${i}.svg`)
    writeFileSync(file, svg)
    return file
  }

  test("a page made by a browser has MathML, as there are no files to read", async () => {
    const program = `import { explain, renderHtml } from "adjoint/explain"
import { tensor } from "adjoint"
globalThis.made = renderHtml(explain(w => w.mul(w).sin().sum(), [tensor([0.5, 2])], { of: "0[1]" }))`
    const output = await build({
      configFile: false,
      logLevel: "silent",
      plugins: [
        { name: "program", resolveId: id => (id === "program" ? "\0program" : null), load: id => (id === "\0program" ? program : null) },
      ],
      build: {
        write: false,
        target: "es2023",
        modulePreload: false,
        rolldownOptions: { input: "program", output: { codeSplitting: false } },
      },
    })
    if (!("output" in output)) throw new Error("one bundle was asked for")
    const entry = output.output.find(c => c.type === "chunk" && c.isEntry) as { code: string }
    const page = await browser.newPage()
    await page.addScriptTag({ type: "module", content: entry.code })
    await page.waitForFunction(() => "made" in globalThis)
    const html = await page.evaluate(() => (globalThis as any).made as Promise<string>)
    const file = join(dir, "browser.html")
    writeFileSync(file, html)
    await page.close()
    const { page: shown, heard } = await open(file)
    expect(await shown.locator("math").first().isVisible()).toBe(true)
    expect(await shown.locator(".katex-html").count()).toBe(0)
    expect(await violations(shown)).toEqual([])
    expect(heard).toEqual([])
    await shown.close()
  })
})
