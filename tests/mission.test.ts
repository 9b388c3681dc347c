// docs/mission.md names, for each of 109 things that are told of backpropagation, a test and an example or command: they exist.
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { rules } from "../src/learning.ts"

const ITEMS = 109

const read = (file: string): string => readFileSync(file, "utf8")
const cells = (line: string): string[] => line.slice(2, -2).split(" | ")
const rows = read("docs/mission.md").split("\n").filter(line => /^\| \d/.test(line)).map(cells) // biome-ignore format: one chain
/** Targets of links, from the root of the repository. */
const links = (text: string): string[] => [...text.matchAll(/\]\(([^)]+)\)/g)].map(m => join("docs", m[1]!))
const commands = [...read("src/cli/main.ts").matchAll(/^ {2}(\w+): \["/gm)].map(m => m[1]!)

describe("docs/mission.md", () => {
  test("has a row for every item, in order", () => {
    const all = Array.from({ length: ITEMS }, (_, i) => i + 1)
    expect(rows.map(row => Number(row[0]))).toEqual(all)
  })
  test.each(rows.map(row => [`${row[0]}: ${row[1]}`, row] as const))("%s", (_name, [, what, tested, shown, ...more]) => {
    expect(more).toEqual([])
    expect(what!.length).toBeGreaterThan(5)
    const [, file, title] = /^\[([^\]]+)\]\([^)]+\): (.+)$/.exec(tested!)!
    expect(links(tested!)).toEqual([file])
    expect(titles(file!)).toContain(title)
    const files = links(shown!)
    for (const example of files) expect(existsSync(example), example).toBe(true)
    const called = [...shown!.matchAll(/`adjoint (\w+)([^`]*)`/g)]
    for (const [, command, argument] of called) {
      expect(commands).toContain(command)
      if (argument) expect(existsSync(argument.trim()), argument).toBe(true)
    }
    expect(files.length + called.length).toBeGreaterThan(0)
  })
  test("every example by number is in it", () => {
    const named = new Set(rows.flatMap(row => links(row[3]!)))
    const examples = readdirSync("examples")
      .filter(name => name.endsWith(".ts"))
      .map(name => `examples/${name}`)
    const shown = examples.filter(path => path !== "examples/charts.ts" && !named.has(path))
    expect(shown).toEqual(["examples/02-worked-example.ts", "examples/04-own-loop.ts"])
  })
})

/** Titles of tests and groups in a file, and the keys of tables whose rows are tests of their own. */
function titles(file: string): string[] {
  expect(existsSync(file), file).toBe(true)
  const text = read(file)
  const titled = [...text.matchAll(/\b(?:test|it|describe)(?:\.each\([\s\S]*?\))?\(\s*"((?:[^"\\]|\\.)*)"/g)].map(m => m[1]!)
  const keys = [...text.matchAll(/^ {2}"(\d\d-[\w-]+\.ts)": \[/gm)].map(m => m[1]!)
  return [...titled, ...keys]
}

describe("rules of learning", () => {
  const sections = read("docs/api/adjoint-learning.md").split(/^### /m)
  const names = [
    ...Object.keys(rules).map(name => name.replace(/-./g, part => part[1]!.toUpperCase())),
    "naturalGradient",
    "gaussNewton",
    "kfac",
  ]
  test.each(names)("%s is documented by paper, equations and signals", name => {
    const section = sections.find(text => text.startsWith(`${name}\n`))!
    expect(section).toMatch(/\((?:19|20)\d\d\)|arXiv:\d{4}\.\d{5}/)
    expect(section).toMatch(/^ {4}\S.* (?:=|descends on|stay) /m)
    expect(section).toContain("Signals: ")
    expect(section).toContain("```ts")
  })
})

describe("history and terms", () => {
  const table = (file: string): string[][] =>
    read(file)
      .split("\n")
      .filter(line => line.startsWith("| ") && !line.startsWith("|---"))
      .map(cells)
  test("the timeline has the years, in order", () => {
    const [, ...entries] = table("docs/timeline.md")
    const years = entries.map(row => Number.parseInt(row[0]!, 10))
    expect(years).toEqual([...years].sort((a, b) => a - b))
    const wanted = [
      ["1960", "Kelley"], ["1961", "Bryson"], ["1962", "Dreyfus"], ["1969", "Ho"], ["1970", "Linnainmaa"], ["1973", "Dreyfus"], ["1974", "Werbos"],
      ["1982", "Werbos"], ["1985", "Parker"], ["1986", "Rumelhart"], ["1986", "Okhonin"], ["1987", "LeCun"], ["1993", "Wan"],
    ] // biome-ignore format: a table
    for (const [year, name] of wanted)
      expect(
        entries.some(row => row[0] === year && row[1]!.includes(name!)),
        `${year} ${name}`,
      ).toBe(true)
  })
  test("the glossary has each term in three languages", () => {
    const [head, ...terms] = table("docs/glossary.md")
    expect(head!.slice(0, 3)).toEqual(["English", "Japanese", "Russian"])
    expect(terms.length).toBeGreaterThan(110)
    for (const [english, japanese, russian, meaning] of terms) {
      expect(english).toMatch(/^[ -~]+$/)
      expect(japanese, english).toMatch(/[\u3040-\u30ff\u4e00-\u9fff]/)
      expect(russian, english).toMatch(/[а-яё]/)
      expect(meaning!.length, english).toBeGreaterThan(3)
    }
    expect(new Set(terms.map(t => t[0])).size).toBe(terms.length)
  })
  test("the glossary ends with further reading", () => {
    const [, reading] = read("docs/glossary.md").split("## Further reading")
    expect(reading!.match(/^- .+\d{4}/gm)!.length).toBeGreaterThanOrEqual(5)
  })
})
