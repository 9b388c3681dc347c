// Commands that train many networks, or none: `adjoint sweep`, and `adjoint train --find-learning-rate`.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, test } from "vitest"
import { openModel } from "./saved.ts"
import { define } from "./sweep.ts"
import { runCommand } from "./testing/run-command.ts"
import { define as defineTrain } from "./train.ts"

const dir = mkdtempSync(join(tmpdir(), "adjoint-sweep-"))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
const at = (name: string): string => join(dir, name)
const data = at("circle.csv")
const rows = Array.from({ length: 200 }, (_, i) => [Math.sin(i * 7.1), Math.sin(i * 3.7 + 1)] as const)
writeFileSync(data, ["x,y,inside", ...rows.map(([x, y]) => `${x},${y},${x * x + y * y < 1 ? "yes" : "no"}`)].join("\n"))

const last = (text: string): any => JSON.parse(text.trim().split("\n").at(-1)!)

describe("sweep", () => {
  const flags = ["-t", "inside", "--epochs", "8", "--seeds", "2", "--hidden", "8;4", "--learning-rate", "0.003,0.03"]
  test("saves the network with the lowest validation loss", async () => {
    const { model, ranking } = last(await runCommand(define, data, ...flags, "--out", at("best"), "--json"))
    expect(model).toBe(at("best"))
    expect(ranking).toHaveLength(8)
    const losses = ranking.map((r: any) => r.validation.loss)
    expect(losses).toEqual([...losses].sort((a, b) => a - b))
    expect(losses[0]).toBeLessThan(losses.at(-1))
    const { training } = await openModel(at("best"))
    expect(training.settings).toMatchObject({ ...ranking[0].settings, seed: ranking[0].seed })
  })
  test("prints a table, and which model is saved", async () => {
    const text = await runCommand(define, data, ...flags, "--out", at("table"))
    expect(text).toMatch(/8 networks in \d programs?, /)
    expect(text).toMatch(/hidden +learningRate +seed +epoch +loss +validation loss +validation accuracy\n/)
    expect(text.match(/\n +(8|4) +0\.0/g)).toHaveLength(8)
    expect(text).toContain(`The best one is saved in ${at("table")}.`)
  })
  test("wants a target", () => expect(runCommand(define, data)).rejects.toThrow("sweep wants the column to predict"))
})

describe("--find-learning-rate", () => {
  const flags = ["-t", "inside", "--find-learning-rate", "--out", at("none")]
  test("names a rate and saves nothing", async () => {
    const { event, rates, losses, smoothed, suggestion } = last(await runCommand(defineTrain, data, ...flags, "--json"))
    expect(event).toBe("learningRates")
    expect([losses.length, smoothed.length]).toEqual([rates.length, rates.length])
    expect(suggestion).toBeGreaterThan(1e-4)
    expect(suggestion).toBeLessThan(0.3)
    expect(existsSync(at("none"))).toBe(false)
  })
  test("draws the curve, and says how to train", async () => {
    const text = await runCommand(defineTrain, data, ...flags)
    expect(text).toMatch(/\n +0\.000001 +learning rate +[\d.]+\n/)
    expect(text).toMatch(/The loss falls fastest at [\d.]+\. Train with: adjoint train .* --target inside --learning-rate [\d.]+\n/)
  })
  test("has none for the genetic algorithm", () =>
    expect(runCommand(defineTrain, data, ...flags, "--rule", "genetic")).rejects.toThrow("has no learning rate"))
})
