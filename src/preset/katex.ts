// Where there is a file system, the style sheet and the fonts of formulas are read from the package katex.
import { installKatexFiles } from "../explain/html/katex-files.ts"

const { process } = globalThis as { process?: { versions?: { node?: string } } }
if (process?.versions?.node !== undefined) {
  // loaded when needed: the file names node modules, which browsers do not have
  installKatexFiles(async file => (await import("../platform/node/katex.ts")).readKatexFile(file))
}
