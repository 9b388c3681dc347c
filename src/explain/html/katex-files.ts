// Where the style sheet and the fonts of katex come from; the preset installs what the platform has.

/** Reads a file of katex's folder `dist`, such as `katex.min.css`. */
export type ReadKatex = (file: string) => Promise<Uint8Array>

let installed: ReadKatex | undefined
export const installKatexFiles = (read: ReadKatex): void => void (installed = read)
/** Undefined where there is no file system: there formulas are MathML alone, which needs neither style nor fonts. */
export const katexFiles = (): ReadKatex | undefined => installed
