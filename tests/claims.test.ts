// bench/claims.mjs in its short form: that it works, and what must be true whatever the machine.
import { execFileSync } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"

const folder = mkdtempSync(join(tmpdir(), "adjoint-claims-"))
afterAll(() => rmSync(folder, { recursive: true }))
const document = join(folder, "claims.md")

interface Claims {
  readonly differences: {
    readonly rows: readonly Readonly<Record<"weights" | "forward" | "gradient" | "differences" | "operations" | "apart", number>>[]
    readonly exponents: Readonly<Record<"forward" | "gradient" | "differences", number>>
  }
  readonly evolution: readonly ({ readonly problem: string; readonly way: "backpropagation" | "genetic" } & Readonly<
    Record<"reached" | "runs" | "steps" | "evaluations" | "work" | "ms" | "kept" | "peak", number>
  >)[]
  readonly sizes: Readonly<Record<"byWidth" | "byBatch", readonly Readonly<Record<"width" | "batch" | "ms" | "gflops", number>>[]>>
}
let claims: Claims
beforeAll(() => {
  writeFileSync(document, readFileSync("docs/claims.md", "utf8").replaceAll(/<!-- end of/g, "an older table\n\n$&"))
  const args = ["bench/claims.mjs", "--short", "--json", "--write", document]
  claims = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" })) as Claims
})

describe("a gradient beside numeric slopes", () => {
  test("both are the same", () => {
    expect(claims.differences.rows.length).toBeGreaterThan(3)
    for (const { apart } of claims.differences.rows) expect(apart).toBeLessThan(1e-7)
  })
  test("a gradient has less than five times the operations of a forward pass", () => {
    for (const { operations } of claims.differences.rows) {
      expect(operations).toBeGreaterThan(2)
      expect(operations).toBeLessThan(5)
    }
  })
  test("differences cost a power of the number of weights more", () => {
    const { gradient, differences } = claims.differences.exponents
    expect(differences - gradient).toBeGreaterThan(0.6)
    expect(differences - gradient).toBeLessThan(1.4)
    for (const row of claims.differences.rows) expect(row.differences).toBeGreaterThan(row.gradient)
  })
})

describe("beside a genetic algorithm", () => {
  test.each(["XOR", "Iris"])("%s: both reach the loss, backpropagation by fewer evaluations, less work and less memory", name => {
    const [backprop, genetic] = claims.evolution.filter(r => r.problem.startsWith(name)) as [Claims["evolution"][0], Claims["evolution"][0]]
    expect([backprop.way, genetic.way]).toEqual(["backpropagation", "genetic"])
    for (const { reached, runs } of [backprop, genetic]) expect(reached).toBe(runs)
    for (const what of ["evaluations", "work", "kept", "peak"] as const) expect(genetic[what], what).toBeGreaterThan(3 * backprop[what])
  })
})

test("each size has a time and a speed", () => {
  for (const row of [...claims.sizes.byWidth, ...claims.sizes.byBatch]) {
    expect(row.ms).toBeGreaterThan(0)
    expect(row.gflops).toBeGreaterThan(0)
  }
})

describe("the document", () => {
  test("gets tables between its marks in the place of older ones, and charts beside it", () => {
    const [before, after] = ["docs/claims.md", document].map(file => readFileSync(file, "utf8")) as [string, string]
    const marks = (text: string): string[] => text.match(/<!-- .* -->/g)!
    expect(marks(after)).toEqual(marks(before))
    expect(after).not.toContain("an older table")
    for (const name of ["differences", "evolution", "sizes"]) {
      const part = new RegExp(`<!-- ${name} -->([^]*)<!-- end of ${name} -->`).exec(after)![1]!
      expect(part).toContain(", the short form.")
      expect(part).toMatch(/^\|[-:|]+\|$/m)
      expect(part).not.toMatch(/NaN|undefined|Infinity/)
    }
    const pictures = [...after.matchAll(/!\[.+\]\((.+\.svg)\)/g)].map(m => join(folder, m[1]!))
    expect(pictures.length).toBeGreaterThan(3)
    for (const picture of pictures) {
      expect(existsSync(picture), picture).toBe(true)
      const svg = readFileSync(picture, "utf8")
      expect(svg).toMatch(/^<svg /)
      expect(svg).not.toMatch(/NaN|undefined/)
    }
  })
})
