// The comparison with PyTorch of bench/quality, a few steps of it: the same loss and gradients at first, and still the same after the last.
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { expect, test } from "vitest"

if (!existsSync("dist/train.js")) throw new Error("these tests run the built library; build it first: npm run build")
const python = "/usr/bin/python3"
const torch = spawnSync(python, ["-c", "import torch, numpy"]).status === 0

/** Every training of bench/quality, a line each. */
function compare(): any[] {
  const text = "node_modules/typescript/lib/lib.es5.d.ts"
  const args = ["bench/quality/run.mjs", "--text", text, "--rows", "200", "--seeds", "1", "--python", python, "--json"]
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8" })
  expect([status, stderr]).toEqual([0, ""])
  return stdout
    .trim()
    .split("\n")
    .map(line => JSON.parse(line))
}

test.skipIf(!torch)(`trains as PyTorch does (skipped where ${python} has no torch)`, { timeout: 300_000 }, () => {
  const results = compare()
  expect(results.map(r => [r.task, r.adjoint.steps])).toEqual([
    ["cnn", 12],
    ["lstm", 14],
    ["transformer", 13],
  ])
  for (const { task, adjoint, pytorch } of results) {
    expect(pytorch.steps, task).toBe(adjoint.steps)
    expect(Math.abs(adjoint.firstLoss / pytorch.firstLoss - 1), `${task}: first loss`).toBeLessThan(1e-5)
    expect(pytorch.gradientError, `${task}: first gradients`).toBeLessThan(1e-5)
    expect(pytorch.lastGradientError, `${task}: gradients with what adjoint has learned`).toBeLessThan(1e-5)
    expect(Math.abs(pytorch.adjointLoss / adjoint.loss - 1), `${task}: validation loss with what adjoint has learned`).toBeLessThan(1e-5)
    expect(adjoint.loss, `${task}: training changes the loss`).toBeLessThan(adjoint.firstLoss - 0.1)
    expect(Math.abs(adjoint.loss / pytorch.loss - 1), `${task}: validation loss`).toBeLessThan(1e-3)
    expect(Math.abs(adjoint.accuracy - pytorch.accuracy), `${task}: accuracy`).toBeLessThan(2e-3)
  }
})
