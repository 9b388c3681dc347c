// The documents say what is true: code they quote stands in the sources, and what they print is printed.
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { VERSION } from "../src/train/trained.ts"

const read = (file: string): string => readFileSync(file, "utf8")

test("the recipe in CONTRIBUTING.md shows a primitive and its test line as they are", () => {
  const [source, line] = [...read("CONTRIBUTING.md").matchAll(/```ts\n([\s\S]*?)```/g)].map(m => m[1]!)
  expect(read("src/primitives/elementwise.ts")).toContain(source)
  expect(read("tests/primitives.test.ts")).toContain(line)
})

test("the chain on the README's first screen is what the command prints", () => {
  const shown = /\$ npx (adjoint explain \S+)\n([\s\S]*?)\n\.\.\.\n```/.exec(read("README.md"))!
  const [, ...args] = shown[1]!.split(" ")
  const printed = execFileSync(process.execPath, ["dist/cli/main.js", ...args], { encoding: "utf8" })
  expect(printed.startsWith(shown[2]!)).toBe(true)
})

test("the version in saved models is that of the package", () => {
  expect(VERSION).toBe(JSON.parse(read("package.json")).version)
})
