// dist/ is the sources file by file: the bundler of whoever uses the package drops what they do not.
import { execFileSync } from "node:child_process"
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"

rmSync("dist", { recursive: true, force: true })
execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"], { stdio: "inherit" })
// the compiler rewrites ./file.ts to ./file.js in code, but not in declarations
for (const name of readdirSync("dist", { recursive: true, encoding: "utf8" })) {
  if (!name.endsWith(".d.ts")) continue
  const file = join("dist", name)
  writeFileSync(file, readFileSync(file, "utf8").replace(/(from |import |import\(|module )"(\.[^"]+)\.ts"/g, '$1"$2.js"'))
}
if (existsSync("dist/cli/main.js")) chmodSync("dist/cli/main.js", 0o755)
