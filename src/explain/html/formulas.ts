// Formulas of a page, and the styles and fonts that they need.
import { factorNumber, latexNumber } from "../markdown.ts"
import { allowed } from "./escape.ts"
import type { ReadKatex } from "./katex-files.ts"
import type { Katex } from "./libraries.ts"

/** The classes of katex that are set in each of its fonts. Those of letters that no rule uses (Fraktur, script) are left out. */
const FONTS: Readonly<Record<string, RegExp>> = {
  "Main-Regular": /./,
  "Math-Italic": /mathnormal/,
  "Main-Italic": /mathit|textit/,
  "Main-Bold": /mathbf|textbf/,
  "Math-BoldItalic": /boldsymbol/,
  "AMS-Regular": /amsrm|mathbb|textbb/,
  "Typewriter-Regular": /mathtt|texttt/,
  "SansSerif-Regular": /mathsf|textsf/,
  "Size1-Regular": /delimsizing size1|delim-size1|small-op/,
  "Size2-Regular": /delimsizing size2|large-op/,
  "Size3-Regular": /delimsizing size3/,
  "Size4-Regular": /delimsizing size4|delim-size4/,
}
const NOTICE = "/* Style sheet and fonts of KaTeX (katex.org), copyright Khan Academy and other contributors, MIT licence */"

/** Sets formulas by katex: HTML with MathML beside it, or MathML alone where the files of its style cannot be read. */
export class Formulas {
  private readonly katex: Katex
  private readonly read: ReadKatex | undefined
  private readonly fonts = new Set<string>()
  private readonly made = new Map<string, string>()
  constructor(katex: Katex, read: ReadKatex | undefined) {
    this.katex = katex
    this.read = read
  }

  /** Markup of a formula. Commands that reach out of it (`\href`, `\includegraphics`, `\html...`) are not trusted. */
  tex(latex: string): string {
    let html = this.made.get(latex)
    if (html === undefined) this.made.set(latex, (html = this.set(latex)))
    return html
  }
  private set(latex: string): string {
    const output = this.read ? "htmlAndMathml" : "mathml"
    const html = this.katex.renderToString(allowed(latex), { output, throwOnError: false, trust: false, strict: "ignore", maxExpand: 100 })
    for (const [font, classes] of Object.entries(FONTS)) if (classes.test(html)) this.fonts.add(font)
    return html
  }

  /** The style sheet of katex with the fonts that the formulas so far are set in, as data. */
  async styles(): Promise<string> {
    const { read } = this
    if (!read) return ""
    const css = new TextDecoder().decode(await read("katex.min.css"))
    const faces = css.match(/@font-face\{[^}]*\}/g) ?? []
    const used = await Promise.all(
      faces.map(async face => {
        const font = /KaTeX_([A-Za-z0-9-]+)\.woff2/.exec(face)?.[1] ?? ""
        if (!this.fonts.has(font)) return ""
        const data = base64(await read(`fonts/KaTeX_${font}.woff2`))
        return face.replace(/src:[^}]*/, `src:url(data:font/woff2;base64,${data}) format("woff2")`)
      }),
    )
    return [NOTICE, ...used, css.replaceAll(/@font-face\{[^}]*\}/g, "")].join("")
  }
}

export const base64 = (bytes: Uint8Array): string => btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(""))

/** f_1 f_2 ... f_n, n numbers, and their product: three sides of an equation that may break at its signs. */
export function product(values: readonly number[], total: number): string {
  const symbols = values.map((_, k) => derivative(k, values.length)).join(" \\cdot ")
  return `${symbols || "1"} = ${values.map(factorNumber).join(" \\cdot ") || "1"} = ${latexNumber(total)}`
}
/** The k-th factor of n: what changes, u_0 = E, u_1, ..., by the next one; the last of these is w. */
export function derivative(k: number, n: number): string {
  const u = (i: number): string => (i === 0 ? "E" : i === n ? "w" : `u_{${i}}`)
  return `\\dfrac{\\partial ${u(k)}}{\\partial ${u(k + 1)}}`
}
/** The chain rule over all paths. */
export const gradient = (total: number): string =>
  `\\displaystyle\\frac{\\partial E}{\\partial w} = \\sum_{\\pi:\\,w\\to E}\\;\\prod_{(v\\to u)\\,\\in\\,\\pi}\\frac{\\partial u}{\\partial v} = ${latexNumber(total)}`
