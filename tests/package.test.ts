// What users get: the packed package, installed in an empty TypeScript project elsewhere, runs the code of the README and the guide.
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"

const root = resolve(import.meta.dirname, "..")
const project = mkdtempSync(join(tmpdir(), "adjoint-package-"))
const run = (command: string, args: readonly string[], cwd = project): string =>
  execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], timeout: 120_000 })
const node = (...args: string[]): string => run(process.execPath, args)

/** The first block of TypeScript in a document after `heading`. */
function block(file: string, heading = ""): string {
  const text = readFileSync(join(root, file), "utf8")
  const found = /```ts\n([\s\S]*?)```/.exec(text.slice(text.indexOf(heading)))
  if (!found) throw new Error(`${file} has no block of TypeScript`)
  return found[1]!
}

beforeAll(() => {
  const [{ filename }] = JSON.parse(run("npm", ["pack", "--json", "--silent", "--pack-destination", project], root)) as [
    { filename: string },
  ]
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "elsewhere", private: true, type: "module" }))
  run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", `./${filename}`])
  mkdirSync(join(project, "src"))
  writeFileSync(join(project, "src/readme.ts"), block("README.md"))
  writeFileSync(join(project, "src/guide.ts"), block("docs/guide.md", "## The code people write"))
  writeFileSync(join(project, "src/gradients.ts"), block("docs/guide.md", "## Gradients"))
  writeFileSync(join(project, "src/layers.ts"), block("docs/guide.md", "## Layers and losses"))
  writeFileSync(join(project, "src/loops.ts"), block("docs/guide.md", "## Loops"))
  writeFileSync(join(project, "src/arrays.ts"), block("docs/guide.md", "## The array language"))
  writeFileSync(join(project, "src/equations.ts"), block("docs/guide.md", "## Equations"))
  writeFileSync(join(project, "src/own.ts"), block("docs/guide.md", "## Derivatives of your own"))
  // the strictest settings a project may have; declarations of the package are checked too
  const compilerOptions = {
    ...{ target: "ES2022", module: "NodeNext", strict: true, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true },
    ...{ skipLibCheck: false, types: [], lib: ["ES2023", "DOM"], outDir: "out", rootDir: "src" },
  }
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["src"] }))
  node(join(root, "node_modules/typescript/bin/tsc"), "-p", ".")
}, 180_000)
afterAll(() => rmSync(project, { recursive: true, force: true }))

test("the README's lines run, and there are ten of them", () => {
  expect(block("README.md").trim().split("\n")).toHaveLength(10)
  expect(node("out/readme.js").trim()).toBe("Tensor i32[4] [0, 1, 1, 0]")
})

test("the guide's code runs and saves a model", () => {
  const printed = node("out/guide.js")
  expect(printed).toContain("Tensor f32[3] [1.081, -2.615, -5.467]")
  expect(printed).toContain("event: 'epoch'")
  expect(readdirSync(join(project, "runs/guide")).sort()).toEqual(["model.json", "weights.safetensors"])
})

test("the guide's networks for sequences learn", () => {
  const lines = node("out/layers.js").trim().split("\n")
  expect(lines.at(-3)).toMatch(/^total +\d+$/)
  for (const loss of lines.slice(-2)) expect(Number(loss)).toBeLessThan(0.4)
})

test.each([
  ["Gradients", "gradients.js", 2],
  ["Loops", "loops.js", 3],
  ["The array language", "arrays.js", 4],
  ["Equations", "equations.js", 2],
  ["Derivatives of your own", "own.js", 2],
])("the guide's %s print what the comments say", (heading, program, lines) => {
  const promised = [...block("docs/guide.md", `## ${heading}`).matchAll(/^console\.log.* \/\/ (.*)$/gm)].map(m => m[1]!)
  expect(promised).toHaveLength(lines)
  expect(node(`out/${program}`).trim().split("\n")).toEqual(promised)
})

test("every path that the package exports is there, for Node and for the type checker", () => {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    exports: Record<string, string | Record<string, string>>
  }
  const files = Object.values(exports).flatMap(e => (typeof e === "string" ? [e] : Object.values(e)))
  expect(files.filter(f => !existsSync(join(project, "node_modules/adjoint", f)))).toEqual([])
  const paths = Object.keys(exports).filter(p => p !== "./package.json")
  const program = paths.map(p => `await import("adjoint${p.slice(1)}")`).join("\n")
  expect(node("--input-type=module", "--eval", `${program}\nconsole.log("loaded")`).trim()).toBe("loaded")
})

test("the command is there", () => {
  expect(node("node_modules/adjoint/dist/cli/main.js", "--help")).toContain("train")
})

test("nothing but the built files, the texts and their licences is in the package", () => {
  const inside = readdirSync(join(project, "node_modules/adjoint")).sort()
  expect(inside).toEqual(["CHANGELOG.md", "LICENSE", "NOTICE.md", "README.md", "dist", "package.json"])
})

test("Node loads three files for the library, and one copy whoever imports it", () => {
  const dist = join(project, "node_modules/adjoint/dist")
  const loaded = new Set<string>()
  const load = (file: string): void => {
    if (loaded.has(file)) return
    loaded.add(file)
    for (const [, name] of readFileSync(join(dist, file), "utf8").matchAll(/^(?:import|export) [^;]*?"(\.[^"]+)";$/gm))
      load(join(file, "..", name!))
  }
  load("node/index.js")
  expect([...loaded]).toEqual(["node/index.js", "node/core.js", "node/default.js"])

  const mixed = `await import("adjoint"); await import(${JSON.stringify(join(dist, "index.js"))})`
  expect(() => node("--input-type=module", "--eval", mixed)).toThrow("two copies of adjoint are loaded")
})
