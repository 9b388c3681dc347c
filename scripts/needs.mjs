// Installs what the tests need from Debian, where that is possible; where it is not, the tests that need it say so and skip.
import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"

const needed = [
  ["chromium", ["/usr/bin/chromium"]],
  ["libopenblas0-pthread", ["x86_64", "aarch64"].map(machine => `/usr/lib/${machine}-linux-gnu/openblas-pthread/libopenblas.so.0`)],
]
const missing = needed.filter(([, files]) => !files.some(existsSync)).map(([name]) => name)
if (missing.length && process.getuid?.() === 0 && existsSync("/etc/debian_version")) {
  console.log(`installing ${missing.join(", ")} from Debian`)
  const apt = (...args) => execFileSync("apt-get", ["-qq", ...args], { stdio: ["ignore", "ignore", "pipe"], timeout: 300_000 })
  try {
    apt("update")
    apt("install", "-y", "--no-install-recommends", ...missing)
  } catch (error) {
    console.log(
      `not installed: ${String(error.stderr ?? error.message)
        .trim()
        .split("\n")
        .at(-1)}`,
    )
  }
}
