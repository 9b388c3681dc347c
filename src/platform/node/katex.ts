import { readFile } from "node:fs/promises"
import { createRequire } from "node:module"

/** Reads a file of the folder `dist` of the installed package katex. */
export const readKatexFile = (file: string): Promise<Uint8Array> => readFile(createRequire(import.meta.url).resolve(`katex/dist/${file}`))
