// npm test: lint, types, build, what tests need from the system, then the tests with the arguments given here. Types are checked
// while the library is built, which looks at none.
import { spawn } from "node:child_process"

/** Ends this process with its exit code if it fails. */
const run = (...args) =>
  new Promise(resolve => {
    const child = spawn(process.execPath, args, { stdio: "inherit" })
    child.on("exit", code => (code === 0 ? resolve() : process.exit(code ?? 1)))
  })

await run("node_modules/@biomejs/biome/bin/biome", "check", "--error-on-warnings", ".")
await Promise.all([
  run("node_modules/typescript/bin/tsc", "-p", "tsconfig.json"),
  run("scripts/build.mjs").then(() => run("scripts/needs.mjs")),
])
await run("node_modules/vitest/vitest.mjs", "run", ...process.argv.slice(2))
