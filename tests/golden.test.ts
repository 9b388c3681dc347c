// Decision 14: in deterministic mode the same program gives the same bits everywhere: here and in a browser, and, by
// `npm run test:nodes`, on Node 20, 22 and 24.
import { execFileSync } from "node:child_process"
import { expect, test } from "vitest"
import { hasChromium, resultsOf, unlessAbsent } from "./chromium.ts"

const GOLDEN = "53ba6001d02cef33425f8a7eccb600ae140ce411f05c958e4668766bf8d3ec23"

test(`the bits of a deterministic run are the known ones on Node ${process.versions.node}`, () => {
  const hash = execFileSync(process.execPath, ["scripts/golden.mjs"], { encoding: "utf8" }).trim()
  expect(hash).toBe(GOLDEN)
})

test.skipIf(!hasChromium)(`and in a browser ${unlessAbsent}`, async () => {
  const program = `import { golden } from "/scripts/golden-program.mjs"
globalThis.result = golden()`
  expect(await resultsOf(program)).toEqual([GOLDEN])
})
