// The files that `adjoint explain` writes.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Command } from "commander"
import { afterAll, expect, test } from "vitest"
import { explainNetwork, explainProblem, readProblem } from "../explain.ts"
import { withFiles, writeFiles } from "./explain-files.ts"

const dir = mkdtempSync(join(tmpdir(), "adjoint-explain-files-"))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
const at = (name: string): string => join(dir, name)
const problem = readProblem({
  layers: [{ w: [[0.5, -0.3], [0.2, 0.8]], b: [0.1, 0], activation: "tanh" }, { w: [[1, 0.5], [-0.7, 0.4]], activation: "softmax" }], // biome-ignore format: one line
  loss: "cross-entropy",
  x: [0.4, -1],
  target: 1,
  learningRate: 0.1,
})

test("the paths of a dense network add up to the slope that the textbook's way gives", () => {
  for (const of of ["layers.0.w[1,0]", "layers.0.b[1]", "layers.1.w[0,1]"]) {
    const { x, target, network } = problem
    const { gradient } = explainNetwork(network, { x, target }, { weights: [of] }).weights[0]!
    const e = explainProblem(problem, of)
    expect(e.agrees, e.verdict).toBe(true)
    expect(e.sumOfPaths).toBeCloseTo(gradient, 12)
    expect(e.groups.groups.map(g => g.name)).toContain("layers.1")
    expect(e.update!.after).toBeCloseTo(e.update!.before - 0.1 * gradient, 12)
  }
})

test("each option writes its kind", async () => {
  const kinds = { html: "<!doctype html>", markdown: "# E by", svg: "<svg", dot: "digraph adjoint {" }
  const options = withFiles(new Command()).parse(
    Object.keys(kinds).flatMap(kind => [`--${kind}`, at(kind)]),
    { from: "user" },
  )
  let asked = 0
  await writeFiles(options.opts(), ["layers.0.w[1,0]"], of => {
    asked++
    return explainProblem(problem, of)
  })
  expect(asked).toBe(1)
  for (const [kind, start] of Object.entries(kinds)) {
    const text = readFileSync(at(kind), "utf8")
    expect(text.startsWith(start), kind).toBe(true)
    expect(text, kind).toContain("layers.0.w")
  }
})

test("nothing asked for, nothing computed; several weights are one too many", async () => {
  const explanation = (): never => {
    throw new Error("not wanted")
  }
  await writeFiles({}, ["a", "b"], explanation)
  await expect(writeFiles({ svg: at("two.svg") }, ["a[0]", "b[0]"], explanation)).rejects.toThrow(
    '--svg tells of one weight, not of 2; name one, such as --weight "a[0]".',
  )
  expect(existsSync(at("two.svg"))).toBe(false)
})
