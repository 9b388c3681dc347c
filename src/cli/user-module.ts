// Files of the user's that are programs: loaded by Node itself, TypeScript where Node cannot read it by the user's own compiler.
import { createRequire, register } from "node:module"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { DataError } from "../data/errors.ts"
import { UsageError } from "./errors.ts"

/**
 * What a file exports. It is run: it can do whatever the user can.
 *
 * @throws UsageError for TypeScript that nothing here can read, with what would; DataError for a file that throws.
 */
export async function importFile(file: string): Promise<Readonly<Record<string, unknown>>> {
  const url = pathToFileURL(resolve(file)).href
  try {
    return await import(url)
  } catch (error) {
    if (!isUnknownKind(error)) throw new DataError(`${file}: ${(error as Error).message}`)
  }
  readTypescript(file)
  try {
    // by another name: that Node could not read it is remembered by the first one
    return await import(`${url}?typescript`)
  } catch (error) {
    throw new DataError(`${file}: ${(error as Error).message}`)
  }
}

const isUnknownKind = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === "ERR_UNKNOWN_FILE_EXTENSION"

let registered = false
/** Lets Node read TypeScript with the compiler that is installed beside the file or here. It takes types away and checks nothing. */
function readTypescript(file: string): void {
  if (registered) return
  const typescript = find("typescript", [resolve(file), resolve("package.json")])
  if (typescript === undefined || register === undefined)
    throw new UsageError(
      `${file}: this Node, ${process.version}, cannot load it. TypeScript wants Node 22.18 or newer, or for this one a compiler: ` +
        `npm install --save-dev typescript@6. Else compile it first (npx tsc ${file}) and name the .js file.`,
    )
  register(`data:text/javascript,${encodeURIComponent(HOOKS)}`, { data: { typescript: pathToFileURL(typescript).href } })
  registered = true
}

function find(name: string, from: readonly string[]): string | undefined {
  for (const place of from) {
    try {
      return createRequire(place).resolve(name)
    } catch {} // not there
  }
  return undefined
}

/** How Node reads `.ts`: in a thread of its own, as a module without imports but of absolute addresses. */
const HOOKS = `
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
let ts
export async function initialize({ typescript }) {
  ts = (await import(typescript)).default
}
export async function load(url, context, next) {
  const { protocol, pathname } = new URL(url)
  if (protocol !== "file:" || !/\\.m?ts$/.test(pathname)) return next(url, context)
  const fileName = fileURLToPath(url)
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true, inlineSourceMap: true }
  const { outputText } = ts.transpileModule(await readFile(fileName, "utf8"), { fileName, compilerOptions })
  return { format: "module", source: outputText, shortCircuit: true }
}`
