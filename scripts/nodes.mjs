// Runs the deterministic program on all supported versions of Node and compares the bits.
import { execFileSync } from "node:child_process"

const hashes = new Map()
for (const version of ["20", "22", "24"]) {
  const out = execFileSync("npx", ["-y", `node@${version}`, "scripts/golden.mjs"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  }).trim()
  console.log(`node ${version}: ${out}`)
  hashes.set(out, version)
}
console.log(hashes.size === 1 ? "3 passed, 0 failed" : `${hashes.size} different results`)
process.exitCode = hashes.size === 1 ? 0 : 1
