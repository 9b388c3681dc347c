// The short form of bench/large-csv.mjs, on 20 MB instead of 3,000.
import { spawnSync } from "node:child_process"
import { expect, test } from "vitest"

test("two shuffled epochs over a CSV file of 20 MB take less memory than the table would", () => {
  const { stdout, stderr } = spawnSync(process.execPath, ["bench/large-csv.mjs", "--mb", "20"], { encoding: "utf8", maxBuffer: 1 << 24 })
  expect(stderr).toBe("")
  const { rows, losses, peakMb } = JSON.parse(stdout)
  expect(rows).toBeGreaterThan(80_000)
  expect(losses[1]).toBeLessThan(losses[0] / 2)
  // 2.8 million cells in memory take some 260 MB beside the 110 MB of Node and adjoint
  expect(peakMb).toBeLessThan(256)
})
