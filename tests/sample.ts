// Runs a piece of code from a document and compares what it gives with what its comments say.
//
// What stands behind a statement, as in `exp(tensor([0]))  // [1]`, is its value: that of the expression, or of the variables that are
// declared. After `console.log(...)` it is what is printed, behind the line or, if there are several lines, below. `...` stands for
// anything, and a remark may follow as in `0.693: log(2)`. Prose has a line of its own.
import { inspect } from "node:util"
import ts from "typescript"
import { Tensor } from "../src/core/tensor.ts"

/** One promise of a sample: where it is made, what was promised, what came. */
export interface Promised {
  readonly line: number
  readonly wanted: string
  readonly got: unknown
  readonly printed: boolean
}
type Load = (path: string) => Promise<Record<string, unknown>>

/** The promises that `code` makes, with what comes out. `load` finds what it imports. */
export async function runSample(code: string, load: Load): Promise<Promised[]> {
  const { program, expected } = instrument(code)
  const { outputText } = ts.transpileModule(program, {
    compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, removeComments: true },
    reportDiagnostics: true,
  })
  const got = new Map<number, { value: unknown; printed: boolean }>()
  const seen = (at: number, value: unknown): void => void got.set(at, { value, printed: false })
  const printed: string[] = []
  const log = (...xs: unknown[]): void => void printed.push(xs.map(x => (typeof x === "string" ? x : inspect(x))).join(" "))
  const print = (at: number): void => void got.set(at, { value: printed.join("\n"), printed: true })
  const run = new Function("load", "seen", "printed", "print", "console", `return (async () => {\n${outputText}\n})()`)
  await run(load, seen, printed, print, { ...console, log })
  return [...expected].map(([at, { line, wanted }]) => ({ line, wanted, got: got.get(at)?.value, printed: got.get(at)?.printed ?? false }))
}

/** The code with its values handed out, and the comments that promise them. */
function instrument(code: string): { program: string; expected: Map<number, { line: number; wanted: string }> } {
  const source = ts.createSourceFile("sample.ts", code, ts.ScriptTarget.Latest, true)
  const expected = new Map<number, { line: number; wanted: string }>()
  const parts = source.statements.map((statement, i) => {
    const text = statement.getText()
    if (ts.isImportDeclaration(statement))
      return text.replace(/^import (\{.*\}) from (".*")$/, "const $1 = await load($2)").replaceAll(" as ", ": ")
    const printing = text.includes("console.log(")
    const wanted = commentOf(code, statement.end, printing)
    if (wanted === undefined) return text
    expected.set(i, { line: source.getLineAndCharacterOfPosition(statement.getStart()).line + 1, wanted })
    if (printing) return `printed.length = 0; ${text}; print(${i})`
    if (ts.isExpressionStatement(statement)) return `seen(${i}, (${text}))`
    if (!ts.isVariableStatement(statement)) throw new Error(`a promise stands behind a statement that has no value: ${text}`)
    const names = statement.declarationList.declarations.flatMap(d => namesOf(d.name))
    return `${text}; seen(${i}, ${names.length === 1 ? names[0] : `[${names}]`})`
  })
  return { program: parts.join(";\n"), expected }
}
const namesOf = (name: ts.BindingName): string[] =>
  ts.isIdentifier(name) ? [name.text] : name.elements.flatMap(e => (ts.isOmittedExpression(e) ? [] : namesOf(e.name)))
/** The comment behind a statement; what it prints may go on, or stand, below. */
function commentOf(code: string, end: number, below: boolean): string | undefined {
  const [first, ...rest] = code.slice(end).split("\n") as [string, ...string[]]
  const behind = /^\s*\/\/ ?(.*)$/.exec(first)?.[1]
  const lines = behind === undefined ? [] : [behind]
  if (below)
    for (const line of rest) {
      const more = /^\/\/ ?(.*)$/.exec(line)
      if (!more) break
      lines.push(more[1]!)
    }
  return lines.length ? lines.join("\n").trimEnd() : undefined
}

/** Whether a comment promises what came: numbers to the digits written. */
export function keeps({ wanted, got, printed }: Promised): boolean {
  if (printed) return matches(wanted, String(got))
  // a remark may come behind the value
  const values = wanted.split(": ").map((_, i, parts) => parts.slice(0, i + 1).join(": "))
  return texts(got).some(text => values.some(value => matches(value, text)))
}

const NUMBER = /-?(?:\d+\.?\d*(?:e[-+]?\d+)?|Infinity)|NaN/
function matches(wanted: string, got: string): boolean {
  const tokens = wanted.split(new RegExp(`(\\.\\.\\.|${NUMBER.source})`))
  const pattern = tokens.map((t, i) => (i % 2 === 0 ? escaped(t) : t === "..." ? "[\\s\\S]*" : `(${NUMBER.source})`)).join("")
  const found = new RegExp(`^${pattern}$`).exec(got.replace(/[ \t]+/g, " "))
  const numbers = tokens.filter((t, i) => i % 2 === 1 && t !== "...")
  return found !== null && numbers.every((n, i) => agree(n, found[i + 1]!))
}
const escaped = (text: string): string => text.replace(/[ \t]+/g, " ").replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
/** Whether `got`, rounded to the digits of `wanted`, is `wanted`; whole numbers are meant exactly, but for rounding in f32. */
function agree(wanted: string, got: string): boolean {
  const [w, g] = [Number(wanted), Number(got)]
  if (!Number.isFinite(w)) return Object.is(w, g)
  const [mantissa, exponent = "0"] = wanted.split("e") as [string, string?]
  const places = mantissa.split(".")[1]?.length
  const half = places === undefined ? 0 : 0.5 * 10 ** (Number(exponent) - places)
  return Math.abs(w - g) <= half + 1e-6 * Math.abs(w)
}

/** What a value may be written as: its numbers, or shapes and dtypes; a list with or without brackets. */
function texts(value: unknown): string[] {
  const [numbers, avals, full] = [
    (x: Tensor) => JSON.stringify(x.toArray(), numberAsText).replaceAll('"', "").replaceAll(",", ", "),
    (x: Tensor) => `${x.dtype}[${x.shape}]`,
    (x: Tensor) => `${x.dtype}[${x.shape}] ${JSON.stringify(x.toArray(), numberAsText).replaceAll('"', "").replaceAll(",", ", ")}`,
  ]
  const all = [numbers, avals, full].map(leaf => written(value, leaf))
  return [...all, ...(Array.isArray(value) ? all.map(t => t.slice(1, -1)) : []), ...(value instanceof Tensor ? [String(value)] : [])]
}
const numberAsText = (_key: string, x: unknown): unknown => (typeof x === "number" ? String(x) : x)
function written(value: unknown, leaf: (x: Tensor) => string): string {
  const go = (x: unknown): string => written(x, leaf)
  if (value instanceof Tensor) return leaf(value)
  if (typeof value === "number") return String(value)
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return `[${Array.from(value as ArrayLike<unknown>, go).join(", ")}]`
  if (typeof value === "function") return `function ${value.name}`
  if (value instanceof Map) return `{ ${[...value].map(([k, v]) => `${k}: ${go(v)}`).join(", ")} }`
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value)
    return entries.length ? `{ ${entries.map(([k, v]) => `${k}: ${go(v)}`).join(", ")} }` : "{}"
  }
  return JSON.stringify(value) ?? "undefined"
}
