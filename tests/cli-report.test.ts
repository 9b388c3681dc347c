// report.html: what it tells, and how it behaves in headless Chromium.
import { readdirSync, readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { pathToFileURL } from "node:url"
import type { Browser } from "playwright-core"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { curvesOf } from "../src/cli/results.ts"
import { hasChromium, launch, unlessAbsent } from "./chromium.ts"
import { events, flowers, houses, last, noise, workplace } from "./cli-process.ts"

const { at, write, run, remove } = workplace()
afterAll(remove)

const hostile = "</style><script>alert(1)</script><img src=x onerror=alert(1)>"
const runs = ["classes", "number", "two"] as const
const page = (name: string): string => readFileSync(at("runs", name, "report.html"), "utf8")
let classes: any

beforeAll(async () => {
  write("flowers.csv", flowers().replaceAll("tulip", hostile))
  write("houses.csv", houses())
  write("noise.csv", noise())
  const ran = await run(["train", "flowers.csv", "-t", "kind", "--epochs", "2", "--learning-rate", "3", "--json", "--out", "runs/classes"])
  expect([ran.code, ran.err]).toEqual([0, ""])
  classes = events(ran.out)
  expect((await run(["train", "houses.csv", "-t", "price", "--epochs", "20", "--out", "runs/number"])).code).toBe(0)
  expect((await run(["train", "noise.csv", "-t", "answer", "--epochs", "5", "--out", "runs/two"])).code).toBe(0)
})

test("tells the result, what was found, the model, the settings and where it ran", () => {
  const html = page("classes")
  const { accuracy, confusion } = last(classes.map((e: any) => JSON.stringify(e)).join("\n")).test
  expect(html).toContain(`${(accuracy * 100).toFixed(2)} %`)
  for (const n of confusion.flat()) if (n > 0) expect(html).toContain(`>${n}</td>`)
  const finding = classes.find((e: any) => e.event === "finding")
  expect(html).toContain(finding.message.slice(0, 20))
  for (const text of ["layers.0", "learningRate", process.versions.node, "Confusion matrix", "precision", "Calibration"])
    expect(html).toContain(text)
  for (const text of ["Predicted against true", "Residuals", "Histogram of residuals", "Farthest off"])
    expect(page("number")).toContain(text)
  for (const text of ["ROC of each class", "macro mean", "average precision", "expected calibration error"]) expect(html).toContain(text)
  const { perClass, macro, balancedAccuracy } = last(classes.map((e: any) => JSON.stringify(e)).join("\n")).test
  expect(perClass.map((c: any) => c.recall)).toEqual(confusion.map((row: number[], i: number) => row[i]! / row.reduce((a, b) => a + b, 0)))
  expect(balancedAccuracy).toBeCloseTo(macro.recall, 12)
  expect(page("two")).toMatch(/ROC for .*area 0\.\d{3}/)
})

test("has text from outside as text, and neither scripts nor addresses", () => {
  for (const name of runs) expect(page(name)).not.toMatch(/<script|<img|<link|(src|href)="?https?:|url\((?!#)|@import/)
})

test("adjoint report writes it again, the same; without one there is --no-report", async () => {
  const before = page("two")
  expect(await run(["report", "runs/two"])).toMatchObject({ code: 0, out: "runs/two/report.html\n" })
  expect(page("two")).toBe(before)
  expect(await run(["report", "runs"])).toMatchObject({ code: 2, err: expect.stringContaining("is not the folder of a run") })
  await run(["train", "noise.csv", "-t", "answer", "--epochs", "2", "--no-report", "--out", "runs/none"])
  expect(readdirSync(at("runs/none"))).not.toContain("report.html")
})

test("curves of two classes: rows that are equally likely are decided together", () => {
  expect(curvesOf([0.9, 0.8, 0.7, 0.1], [1, 1, 0, 0]).area).toBe(1)
  expect(curvesOf([0.5, 0.5, 0.5, 0.5], [1, 0, 1, 0])).toMatchObject({ area: 0.5, precision: [[1, 0.5]] })
  // of the four pairs of a positive and a negative, three are in order
  expect(curvesOf([0.9, 0.6, 0.7, 0.1], [1, 1, 0, 0]).area).toBe(0.75)
})

describe.skipIf(!hasChromium)(`in a browser ${unlessAbsent}`, () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launch()
  })
  afterAll(() => browser?.close())
  const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")

  test.each(runs)("%s: wide and narrow, light and dark, on paper: no violation, nothing too wide, no word, no request", async name => {
    const page = await browser.newPage()
    const heard: string[] = []
    const url = pathToFileURL(at("runs", name, "report.html")).href
    page.on("console", m => heard.push(m.text()))
    page.on("pageerror", e => heard.push(String(e)))
    page.on("request", r => r.url() !== url && heard.push(r.url()))
    await page.goto(url)
    await page.evaluate(axe)
    for (const width of [1280, 360])
      for (const colorScheme of ["light", "dark"] as const) {
        await page.setViewportSize({ width, height: 800 })
        await page.emulateMedia({ colorScheme })
        const violations = await page.evaluate(async () => {
          const { violations } = await (globalThis as any).axe.run()
          return violations.map((v: any) => `${v.id}: ${v.nodes.map((n: any) => n.html.slice(0, 120)).join(" ")}`)
        })
        expect(violations, `${width} ${colorScheme}`).toEqual([])
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width)
      }
    // letters of charts on a phone, in CSS pixels
    const sizes = await page.locator("figure svg text").evaluateAll(all => all.map(t => t.getBoundingClientRect().height))
    expect(Math.min(...sizes.filter(h => h > 0))).toBeGreaterThan(9)
    expect((await page.pdf({ format: "A4" })).length).toBeGreaterThan(10_000)
    await page.emulateMedia({ media: "print", colorScheme: "dark" })
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe("rgb(255, 255, 255)")
    expect(heard).toEqual([])
    await page.close()
  })
})
