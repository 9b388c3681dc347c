// What `adjoint explain` writes into files.
import type { Command } from "commander"
import { type Explanation, renderHtml, renderMarkdown, renderSvg, toDot } from "../explain.ts"
import { writeFileAtomic } from "../platform/node/files.ts"
import { UsageError } from "./errors.ts"

export interface FileOptions {
  readonly html?: string
  readonly markdown?: string
  readonly svg?: string
  readonly dot?: string
}
const RENDERERS = { html: renderHtml, markdown: renderMarkdown, svg: renderSvg, dot: toDot } as const
const KINDS = Object.keys(RENDERERS) as readonly (keyof FileOptions)[]

/** Adds the options. */
export const withFiles = (command: Command): Command =>
  command
    .option("--html <file>", "write the paths of one weight, or attributions, as a web page (paths: npm install katex @dagrejs/dagre)")
    .option("--markdown <file>", "write them as Markdown with formulas in LaTeX")
    .option("--svg <file>", "draw the adjoint graph (npm install katex @dagrejs/dagre)")
    .option("--dot <file>", "write the adjoint graph for Graphviz")

/** Writes the files that were asked for; the explanation, which takes time, is made only then. A page tells of one weight. */
export async function writeFiles(
  options: FileOptions,
  weights: readonly string[],
  explanation: (of: string) => Explanation,
): Promise<void> {
  const kinds = KINDS.filter(kind => options[kind] !== undefined)
  if (!kinds.length) return
  const [of, ...others] = weights
  if (others.length)
    throw new UsageError(`--${kinds[0]} tells of one weight, not of ${weights.length}; name one, such as --weight "${of}".`)
  const e = explanation(of!)
  for (const kind of kinds) writeFileAtomic(options[kind]!, new TextEncoder().encode(await RENDERERS[kind](e)))
}
