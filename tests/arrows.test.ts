// Which room of src/ imports which is written down in layers.json; and no file loads itself through others.
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import ts from "typescript"
import { expect, test } from "vitest"

const root = resolve(import.meta.dirname, "..")
const src = join(root, "src")
const layers: Record<string, readonly string[]> = JSON.parse(readFileSync(join(root, "layers.json"), "utf8"))
const files = readdirSync(src, { recursive: true, encoding: "utf8" })
  .filter(f => f.endsWith(".ts") && !f.endsWith(".test.ts") && !f.includes("testing"))
  .map(f => join(src, f))

/** The room of a file; entry files, directly in src/, have none. */
const roomOf = (file: string): string | undefined => {
  const [first, ...rest] = relative(src, file).split("/")
  return rest.length ? first : undefined
}

interface Imports {
  /** Files of the project, also those whose types alone are used. */
  readonly inside: readonly string[]
  /** Of these the ones that are loaded. */
  readonly loaded: readonly string[]
  readonly outside: readonly string[]
}
function importsOf(file: string): Imports {
  const text = readFileSync(file, "utf8")
  const found = ts.preProcessFile(text).importedFiles.map(i => i.fileName)
  const typesOnly = new Set([...text.matchAll(/^(?:import|export) type [^"]*"([^"]+)"/gm)].map(m => m[1]!))
  const at = (f: string): string => resolve(dirname(file), f)
  const own = found.filter(f => f.startsWith("."))
  return { inside: own.map(at), loaded: own.filter(f => !typesOnly.has(f)).map(at), outside: found.filter(f => !f.startsWith(".")) }
}
const imports = new Map(files.map(file => [file, importsOf(file)]))

test("every import follows an arrow of layers.json", () => {
  const odd: string[] = []
  for (const [file, { inside }] of imports) {
    const from = roomOf(file)
    for (const target of inside) {
      const to = roomOf(target)
      // entry files put rooms together; the command line may use everything
      if (from === undefined || from === "cli" || from === to) continue
      if (to === undefined || !layers[from]?.includes(to)) odd.push(`${relative(root, file)} -> ${relative(root, target)}`)
    }
  }
  expect(odd).toEqual([])
})

test("rooms of layers.json exist, and all rooms are in it", () => {
  const rooms = new Set(files.map(roomOf).filter(r => r !== undefined && r !== "cli"))
  expect(
    Object.keys(layers)
      .filter(k => k !== "$comment")
      .sort(),
  ).toEqual([...rooms].sort())
})

test("no file loads itself through others", () => {
  const state = new Map<string, "open" | "done">()
  const cycles: string[] = []
  const visit = (file: string, path: readonly string[]): void => {
    if (state.get(file) === "done") return
    if (state.get(file) === "open") {
      cycles.push([...path.slice(path.indexOf(file)), file].map(f => relative(src, f)).join(" -> "))
      return
    }
    state.set(file, "open")
    for (const next of imports.get(file)?.loaded ?? []) visit(next, [...path, file])
    state.set(file, "done")
  }
  for (const file of files) visit(file, [])
  expect(cycles).toEqual([])
})

test("node modules are named in platform and cli only, libraries where layers allow", () => {
  const allowed: Record<string, RegExp> = {
    platform: /^node:/,
    cli: /.*/,
    preset: /^#host$/,
    data: /^(#csv-parse|hyparquet(-compressors|\/src\/\w+\.js)?|fast-png|jpeg-js|fflate)$/,
    io: /^(@noble\/hashes|fflate$)/,
    explain: /^(katex|@dagrejs\/dagre)$/,
  }
  const odd = [...imports].flatMap(([file, { outside }]) =>
    outside.filter(name => !allowed[roomOf(file) ?? ""]?.test(name)).map(name => `${relative(root, file)}: ${name}`),
  )
  expect(odd).toEqual([])
})
