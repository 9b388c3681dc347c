// src/standalone/runtime-text.ts holds the code of written modules as text: src/standalone/runtime and what it imports, bundled.
import { build } from "vite"

/** The whole file. */
export async function runtimeFile(): Promise<string> {
  const text = (await bundled()).replace(/[\\`]|\$\{/g, "\\$&")
  return `// Made by \`npm run standalone\` from src/standalone/runtime. Do not edit.\nexport const RUNTIME = \`${text}\`\n`
}

/** The code without its exports: it becomes the head of a module. */
async function bundled(): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: "warn",
    build: {
      ssr: true,
      write: false,
      target: "es2022",
      rolldownOptions: {
        platform: "neutral",
        input: "src/standalone/runtime/main.ts",
        output: { comments: false, polyfillRequire: false },
      },
    },
  })
  const [chunk] = (result as { output: { code: string }[] }).output
  return chunk!.code
    .replace(/^\/\/#(?:end)?region.*\n/gm, "")
    .replace(/^export \{[^}]*\};?\s*$/m, "")
    .replaceAll("\t", "  ")
    .trim()
}
