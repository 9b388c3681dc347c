// The reference in docs/api is made from docstrings, every public function has one with an example, and every example is true.
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, test } from "vitest"
import { fileOf, importsOf, type Page, readApi, render, typeErrors } from "../scripts/api.ts"
import { keeps, runSample } from "./sample.ts"

const { program, pages } = readApi()
const functions = pages.flatMap(p => p.items.filter(i => i.kind === "function"))

describe("docs/api", () => {
  test.each(pages.map(p => [p.path, p] as const))("%s is what the docstrings say", async (_path, page) => {
    await expect(render(page, pages), "docs/api is out of date: run `npm run docs:api`").toMatchFileSnapshot(
      `../docs/api/${fileOf(page.path)}`,
    )
  })
  test("has no page of what is no longer exported", () => {
    expect(readdirSync("docs/api").sort()).toEqual(pages.map(p => fileOf(p.path)).sort())
  })
})

test("every public function has a docstring with an example", () => {
  expect(functions.length).toBeGreaterThan(300)
  expect(functions.filter(f => !f.doc.trim() || !f.examples.length).map(f => `${f.source}: ${f.name}`)).toEqual([])
})

describe("examples", () => {
  // examples that write files do so in a folder of their own
  const root = process.cwd()
  const folder = mkdtempSync(join(tmpdir(), "adjoint-examples-"))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const load = (path: string): Promise<Record<string, unknown>> => {
    const page = pages.find(p => p.path === path)
    return import(/* @vite-ignore */ page ? `${root}/${page.file}` : path)
  }
  const examples = pages.flatMap(page => page.items.flatMap(item => item.examples.map(code => ({ page, item, code }))))
  test("have no type errors", () => {
    const pieces = examples.map(({ page, item, code }, i) => [`${i}-${page.path}-${item.name}`, withImports(code, page)] as const)
    expect(typeErrors(new Map(pieces), program)).toEqual([])
  })
  test.each(examples.map(e => [`${e.page.path} ${e.item.name}`, e] as const))("%s", async (_name, { page, code }) => {
    process.chdir(folder)
    try {
      const promised = await runSample(withImports(code, page), load)
      const broken = promised.filter(p => !keeps(p))
      expect(broken).toEqual([])
    } finally {
      process.chdir(root)
    }
  })
})
const withImports = (code: string, page: Page): string =>
  [...[...importsOf(code, page, pages)].map(([path, names]) => `import { ${names.join(", ")} } from "${path}"`), code].join("\n")
