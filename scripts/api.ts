// What the package exports, with the compiler's eyes: signatures and docstrings, and the pages of docs/api that are made from them.
import { readFileSync } from "node:fs"
import { join, relative } from "node:path"
import ts from "typescript"

export type Kind = "function" | "class" | "constant" | "type"
const HEADINGS: Readonly<Record<Kind, string>> = { function: "Functions", class: "Classes", constant: "Constants", type: "Types" }

/** Fields of a type that a parameter has, such as options. */
interface Field {
  readonly name: string
  readonly type: string
  readonly doc: string
}
export interface Item {
  /** As it is called: `dense`, or `random.normal` for what a namespace holds. */
  readonly name: string
  readonly kind: Kind
  /** How it is called, or the declaration of a type. */
  readonly code: readonly string[]
  readonly doc: string
  readonly fields: readonly Field[]
  /** Texts of the tags. */
  readonly throws: readonly string[]
  readonly see: readonly string[]
  readonly examples: readonly string[]
  /** The file it stands in. */
  readonly source: string
}
export interface Page {
  /** What is imported: `adjoint/nn`. */
  readonly path: string
  /** The entry file: `src/nn.ts`. */
  readonly file: string
  readonly doc: string
  readonly items: readonly Item[]
  /** Names that an earlier page documents, and that page's path. */
  readonly elsewhere: ReadonlyMap<string, string>
}

const oneLine = (text: string): string =>
  text
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/\s+/g, " ")
    .trim()

/** What the entry files that package.json names export. */
export function readApi(): { program: ts.Program; pages: Page[] } {
  const { exports } = JSON.parse(readFileSync("package.json", "utf8")) as { exports: Record<string, { types?: string }> }
  const entries = Object.entries(exports)
    .flatMap(([path, { types }]) => (types ? [[`adjoint${path.slice(1)}`, types.replace("./dist/", "src/").replace(".d.ts", ".ts")]] : []))
    .map(([path, file]) => ({ path: path!, file: file! }))
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => {} }
  const { options } = ts.getParsedCommandLineOfConfigFile("tsconfig.json", {}, host)!
  const files = entries.map(e => e.file)
  const program = ts.createProgram(files, options)
  const reader = new Reader(program)
  return { program, pages: entries.map(({ path, file }) => reader.page(path, program.getSourceFile(file)!, file)) }
}

/** What the compiler has to say of pieces of code, by name, beside the sources of `program`. */
export function typeErrors(pieces: ReadonlyMap<string, string>, program: ts.Program): string[] {
  const files = new Map([...pieces].map(([name, code]) => [join(process.cwd(), `${name}.ts`), `${code}\nexport {}`]))
  const options = program.getCompilerOptions()
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists, readFile } = host
  host.fileExists = name => files.has(name) || fileExists(name)
  host.readFile = name => files.get(name) ?? readFile(name)
  host.getSourceFile = (name, ...rest) => {
    const text = files.get(name)
    return text === undefined ? (program.getSourceFile(name) ?? getSourceFile(name, ...rest)) : ts.createSourceFile(name, text, rest[0])
  }
  const all = ts.createProgram([...files.keys()], options, host)
  return [...files.keys()].flatMap(name => {
    const file = all.getSourceFile(name)!
    const found = [...all.getSyntacticDiagnostics(file), ...all.getSemanticDiagnostics(file)]
    return found.map(d => `${relative(".", name)}: ${ts.flattenDiagnosticMessageText(d.messageText, " ")}`)
  })
}

class Reader {
  private readonly checker: ts.TypeChecker
  /** Where a symbol is documented. */
  private readonly pages = new Map<ts.Symbol, string>()
  constructor(program: ts.Program) {
    this.checker = program.getTypeChecker()
  }

  page(path: string, source: ts.SourceFile, file: string): Page {
    const items: Item[] = []
    const elsewhere = new Map<string, string>()
    const visit = (module: ts.Symbol, prefix: string): void => {
      for (const exported of this.checker.getExportsOfModule(module)) {
        const symbol = exported.flags & ts.SymbolFlags.Alias ? this.checker.getAliasedSymbol(exported) : exported
        const name = prefix + exported.name
        const page = this.pages.get(symbol)
        if (page !== undefined && page !== path) elsewhere.set(name, page)
        else {
          this.pages.set(symbol, path)
          if (symbol.flags & ts.SymbolFlags.ValueModule) visit(symbol, `${name}.`)
          else items.push(this.item(name, symbol))
        }
      }
    }
    visit(this.checker.getSymbolAtLocation(source)!, "")
    const [first] = ts.getJSDocCommentsAndTags(source.statements[0]!) as readonly ts.JSDoc[]
    return { path, file, doc: ts.getTextOfJSDocComment(first?.comment) ?? "", items, elsewhere }
  }

  private item(name: string, symbol: ts.Symbol): Item {
    const [declaration] = symbol.declarations!
    const isValue = (symbol.flags & ts.SymbolFlags.Value) !== 0
    const calls = isValue ? this.checker.getTypeOfSymbol(symbol).getCallSignatures() : []
    const kind: Kind = symbol.flags & ts.SymbolFlags.Class ? "class" : calls.length ? "function" : isValue ? "constant" : "type"
    const tags = symbol.getJsDocTags(this.checker)
    const texts = (tag: string): string[] => tags.filter(t => t.name === tag).map(t => ts.displayPartsToString(t.text).trim())
    return {
      name,
      kind,
      code: kind === "function" ? calls.map(c => this.signature(name, c, declaration!)) : [this.declaration(kind, name, symbol)],
      doc: ts.displayPartsToString(symbol.getDocumentationComment(this.checker)),
      fields: kind === "function" ? this.fields(calls) : [],
      throws: texts("throws"),
      see: texts("see"),
      examples: texts("example"),
      source: relative(".", declaration!.getSourceFile().fileName),
    }
  }

  private typeText(type: ts.Type): string {
    const flags = ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.UseAliasDefinedOutsideCurrentScope
    return this.checker.typeToString(type, undefined, flags).replace(/ \| undefined$/, "")
  }

  private signature(name: string, call: ts.Signature, own: ts.Declaration): string {
    // a type written in the declaration itself is shown as written there; others may have been filled in, as those of Loss<Options>
    const written = call.declaration?.parent === own.parent || call.declaration === own
    const parameters = call.parameters.map(p => {
      const d = p.valueDeclaration as ts.ParameterDeclaration | undefined
      const label = d && ts.isIdentifier(d.name) ? d.name.text : d ? "options" : p.name
      const type = written && d?.type ? oneLine(d.type.getText()) : this.typeText(this.checker.getTypeOfSymbol(p))
      return `${d?.dotDotDotToken ? "..." : ""}${label}${d?.questionToken || d?.initializer ? "?" : ""}: ${type}`
    })
    const typed = call.declaration?.typeParameters?.map(t => oneLine(t.getText())) ?? []
    const result = written && call.declaration?.type ? oneLine(call.declaration.type.getText()) : this.typeText(call.getReturnType())
    return `${name}${typed.length && call.typeParameters ? `<${typed.join(", ")}>` : ""}(${parameters.join(", ")}): ${result}`
  }

  /** What the options of a function are: properties of the interfaces among its parameters that are declared here and documented. */
  private fields(calls: readonly ts.Signature[]): Field[] {
    const found = new Map<string, Field>()
    for (const p of calls.flatMap(c => c.parameters)) {
      const type = this.checker.getNonNullableType(this.checker.getTypeOfSymbol(p))
      if (!type.isClassOrInterface() && !type.isIntersection()) continue
      if (type.isClass() || !/Options$/.test(this.typeText(type).replace(/<.*/, ""))) continue
      for (const property of type.getProperties()) {
        const doc = oneLine(ts.displayPartsToString(property.getDocumentationComment(this.checker)))
        const of = this.typeText(this.checker.getTypeOfSymbol(property))
        found.set(property.name, { name: property.name, type: of, doc })
      }
    }
    return [...found.values()]
  }

  /** The declaration as it stands in the source, without its docstring; of classes what users see. */
  private declaration(kind: Kind, name: string, symbol: ts.Symbol): string {
    const [declaration] = symbol.declarations!
    if (kind === "constant") return `const ${name}: ${this.typeText(this.checker.getTypeOfSymbol(symbol))}`
    if (!ts.isClassDeclaration(declaration!)) return dedent(declaration!.getText().replace(/^export (declare )?/, ""))
    const members = declaration.members.flatMap(m => {
      const hidden = ts.getCombinedModifierFlags(m) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)
      const text = hidden ? undefined : this.member(m)
      return text === undefined ? [] : [`${docOf(m)}  ${text}`]
    })
    const heads = declaration.heritageClauses?.map(h => ` ${h.getText()}`).join("") ?? ""
    return `class ${name}${heads} {\n${members.join("\n")}\n}`
  }
  private member(m: ts.ClassElement): string | undefined {
    if (!m.name || ts.isComputedPropertyName(m.name)) return undefined
    const label = m.name.getText()
    if (ts.isMethodDeclaration(m)) return this.signature(label, this.checker.getSignatureFromDeclaration(m)!, m)
    if (ts.isPropertyDeclaration(m) || ts.isGetAccessor(m)) return `readonly ${label}: ${this.typeText(this.checker.getTypeAtLocation(m))}`
    return undefined
  }
}
const docOf = (m: ts.Node): string => {
  const [doc] = ts.getJSDocCommentsAndTags(m) as readonly ts.JSDoc[]
  return doc ? `  ${doc.getText().replace(/\n +/g, "\n   ")}\n` : ""
}
/** Without the indentation that the last line has, too. */
const dedent = (text: string): string => {
  const [indent] = /^ */.exec(text.split("\n").at(-1)!)!
  return text.replaceAll(`\n${indent}`, "\n")
}

/** Names that `code` uses without declaring them, in order of their first use. */
export function freeNames(code: string): string[] {
  const source = ts.createSourceFile("example.ts", code, ts.ScriptTarget.Latest, true)
  const declared = new Set<string>()
  const used = new Set<string>()
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) {
      const { parent } = node
      const declares = (parent as Partial<ts.NamedDeclaration>).name === node && !ts.isShorthandPropertyAssignment(parent)
      if (ts.isPropertyAccessExpression(parent) && parent.name === node) return
      if (ts.isBindingElement(parent) && parent.propertyName === node) return
      ;(declares ? declared : used).add(node.text)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return [...used].filter(name => !declared.has(name))
}

/** What an example imports: names of its own page, else of the first page that has them. */
export function importsOf(code: string, own: Page, pages: readonly Page[]): Map<string, string[]> {
  const imports = new Map<string, string[]>()
  for (const name of freeNames(code)) {
    const page = [own, ...pages].find(p => topNames(p).has(name))
    if (page) imports.set(page.path, [...(imports.get(page.path) ?? []), name])
  }
  return imports
}
const names = new WeakMap<Page, Set<string>>()
function topNames(page: Page): Set<string> {
  let found = names.get(page)
  const all = (): string[] => [...page.items.map(i => i.name), ...page.elsewhere.keys()]
  if (!found) names.set(page, (found = new Set(all().map(n => n.split(".")[0]!))))
  return found
}

const fence = (code: string): string => `\`\`\`ts\n${code}\n\`\`\``
/** In a cell of a table. */
const cell = (text: string): string => text.replaceAll("|", "\\|")
/** A docstring as Markdown: formulas keep their signs, and what is thrown catches the eye. */
const prose = (doc: string): string =>
  doc
    .split(/(`[^`]*`)/)
    .map((part, i) => (i % 2 ? part : part.replace(/[<*]/g, "\\$&")))
    .join("")
    .replace(/(^|[.;] |\n)(Throws|Rejects) (?=[A-Z])/g, "$1**$2** ")

/** The page as Markdown. */
export function render(page: Page, pages: readonly Page[]): string {
  const slugs = new Map<string, number>()
  const slug = (name: string): string => {
    const base = name.toLowerCase().replace(/[^a-z0-9-]/g, "")
    const before = slugs.get(base) ?? 0
    slugs.set(base, before + 1)
    return before ? `${base}-${before}` : base
  }
  const kinds = (Object.keys(HEADINGS) as Kind[]).map(kind => ({
    heading: HEADINGS[kind],
    items: page.items.filter(i => i.kind === kind).sort((a, b) => order(a.name, b.name)),
  }))
  const sections = kinds
    .filter(k => k.items.length)
    .map(({ heading, items }) => {
      slug(heading)
      return { heading, items: items.map(item => ({ item, link: `[${item.name}](#${slug(item.name)})` })) }
    })
  const others = new Map<string, string[]>()
  for (const [name, path] of page.elsewhere) others.set(path, [...(others.get(path) ?? []), name])
  const contents = [
    ...sections.map(s => `**${s.heading}:** ${s.items.map(i => i.link).join(", ")}`),
    ...[...others].map(([path, list]) => `**As in [${path}](${fileOf(path)}):** ${list.join(", ")}`),
  ]
  return [
    "<!-- Made from the docstrings by `npm run docs:api`. -->",
    `# ${page.path}`,
    page.doc,
    ...contents,
    ...sections.flatMap(s => [`## ${s.heading}`, ...s.items.flatMap(i => describe(i.item, page, pages))]),
  ]
    .filter(part => part)
    .join("\n\n")
    .concat("\n")
}
const order = (a: string, b: string): number => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)
export const fileOf = (path: string): string => `${path.replace("/", "-")}.md`

function describe(item: Item, page: Page, pages: readonly Page[]): string[] {
  const options = item.fields.map(f => `| \`${f.name}\` | \`${cell(f.type)}\` | ${cell(prose(f.doc))} |`)
  return [
    `### ${item.name}`,
    fence(item.code.join("\n")),
    prose(item.doc),
    ...item.throws.map(t => `**Throws** ${prose(t)}`),
    ...(options.length ? [["| option | type | |", "|---|---|---|", ...options].join("\n")] : []),
    ...item.examples.map(e => {
      const imports = [...importsOf(e, page, pages)].map(([path, names]) => `import { ${names.join(", ")} } from "${path}"`)
      return fence([...imports, ...(imports.length ? [""] : []), e].join("\n"))
    }),
    ...item.see.map(s => `See ${s}`),
    `[${item.source}](../../${item.source})`,
  ]
}
