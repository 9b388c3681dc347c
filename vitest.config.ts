import { resolve } from "node:path"
import { defineConfig } from "vitest/config"
import { BaseSequencer, type TestSpecification } from "vitest/node"

const src = resolve(import.meta.dirname, "src")
/** Files of `tests` that take longest, so that no core waits for one of them at the end. */
const LONGEST = ["examples", "html", "cli", "cli-config", "tables", "bench", "package", "cli-report", "quality", "mnist", "cli-kill"]

/** Files of `src` come together, at the end: a process that has loaded the modules goes on with the next of them. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number =>
      LONGEST.some(name => moduleId.endsWith(`/tests/${name}.test.ts`)) ? 0 : moduleId.startsWith(src) ? 2 : 1
    return files.toSorted((a, b) => rank(a) - rank(b))
  }
}

export default defineConfig({
  // examples import the package by its name, as its users do; tests run them on the sources
  resolve: {
    alias: [
      { find: "#host", replacement: `${src}/platform/node/host.ts` },
      { find: /^adjoint$/, replacement: `${src}/index.ts` },
      { find: /^adjoint\/([a-z]+)$/, replacement: `${src}/$1.ts` },
    ],
  },
  test: {
    projects: [
      // tests beside the code share a process, and with it what loading and warming up the modules takes: a fifth of their time
      { extends: true, test: { name: "rooms", include: ["src/**/*.test.ts"], isolate: false } },
      // these measure processes, count programs and change settings of all of them
      { extends: true, test: { name: "whole", include: ["tests/**/*.test.ts"] } },
    ],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: "forks",
    // one for each core: tests measure processor time, not the clock
    maxWorkers: "100%",
    sequence: { sequencer: LongestFirst },
    // so each has one core, and the same products everywhere; what is about threads or a BLAS asks for them
    env: { ADJOINT_THREADS: process.env.ADJOINT_THREADS ?? "1", ADJOINT_BLAS: process.env.ADJOINT_BLAS ?? "off" },
    reporters: ["default", "./scripts/closing-line.mjs"],
  },
})
