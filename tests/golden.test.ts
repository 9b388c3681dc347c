// Decision 14: in deterministic mode the same program gives the same bits everywhere. `npm run test:nodes` runs this on Node 20, 22 and 24.
import { execFileSync } from "node:child_process"
import { expect, test } from "vitest"

const GOLDEN = "669a7e5d21df12d5f9195599daeada6113a318259197a7c99f7e31f8af6d6b64"

test(`the bits of a deterministic run are the known ones on Node ${process.versions.node}`, () => {
  const hash = execFileSync(process.execPath, ["scripts/golden.mjs"], { encoding: "utf8" }).trim()
  expect(hash).toBe(GOLDEN)
})
