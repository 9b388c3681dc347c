// Where there is a file system, tables that stay in their file are opened by path.
import { installOpener } from "../data/byte-source.ts"

const { process } = globalThis as { process?: { versions?: { node?: string } } }
if (process?.versions?.node !== undefined) {
  // loaded when needed: the file names node modules, which browsers do not have
  installOpener(async path => (await import("../platform/node/byte-source.ts")).openFile(path))
}
