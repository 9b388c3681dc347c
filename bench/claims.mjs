// What is said of backpropagation, measured: what a gradient costs beside numeric slopes, beside a genetic algorithm, and by the size of the network.
//
// After `npm run build`, on a quiet machine:
//   node bench/claims.mjs                          tables
//   node bench/claims.mjs --plots runs/claims      and charts as SVG
//   node bench/claims.mjs --write docs/claims.md   tables into the document, charts into the folder beside it
//   node bench/claims.mjs --short --json           small sizes, a few seconds; the numbers as JSON
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { cpus } from "node:os"
import { basename, dirname, join } from "node:path"
import { parseArgs } from "node:util"
import "./one-thread.mjs"
import { curves } from "./charts.mjs"
import { differences } from "./claims/differences.mjs"
import { evolution } from "./claims/evolution.mjs"
import { sizes } from "./claims/sizes.mjs"

const { values: options } = parseArgs({
  options: {
    short: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    plots: { type: "string" },
    write: { type: "string" },
  },
})
const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"))
const machine = `adjoint ${version}, Node ${process.versions.node}, ${cpus()[0].model.trim()}, one thread, ${new Date().toISOString().slice(0, 10)}`

const parts = []
for (const measure of [differences, evolution, sizes]) {
  const part = await measure(options.short)
  parts.push(part)
  if (!options.json) console.log(`${parts.length > 1 ? "\n" : `${machine}\n\n`}${part.text}`)
}
if (options.json) console.log(JSON.stringify(Object.fromEntries(parts.map(({ name, numbers }) => [name, numbers]))))

/** The charts of all parts. */
function draw(folder) {
  for (const { charts } of parts) for (const { file, options, data } of charts) curves(join(folder, file), options, data)
}
if (options.plots) draw(options.plots)

if (options.write) {
  const folder = join(dirname(options.write), basename(options.write, ".md"))
  mkdirSync(folder, { recursive: true })
  draw(folder)
  let document = readFileSync(options.write, "utf8")
  for (const { name, text, charts } of parts) {
    const pictures = charts.map(({ file, options }) => `![${options.title}](${basename(folder)}/${file})`)
    document = between(document, name, [`${machine}${options.short ? ", the short form" : ""}.`, text, ...pictures].join("\n\n"))
  }
  writeFileSync(options.write, document)
}

/** The document with `text` between the marks of `name`. */
function between(document, name, text) {
  const [from, to] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`]
  const [start, end] = [document.indexOf(from), document.indexOf(to)]
  if (start < 0 || end < start) throw new Error(`${options.write} has no lines ${from} and ${to}`)
  return `${document.slice(0, start + from.length)}\n\n${text}\n\n${document.slice(end)}`
}
