// dist/ is the sources file by file: the bundler of whoever uses the package drops what they do not.
import { execFileSync } from "node:child_process"
import { chmodSync, existsSync, rmSync } from "node:fs"

rmSync("dist", { recursive: true, force: true })
execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"], { stdio: "inherit" })
if (existsSync("dist/cli/main.js")) chmodSync("dist/cli/main.js", 0o755)
