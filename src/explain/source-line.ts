// The line of the user's program that asked for an operation.

export interface Line {
  readonly file: string
  readonly line: number
  readonly column: number
  /** The function it stands in, where it has a name. */
  readonly in?: string
}

/** Files of adjoint itself lie below this folder: src/, or dist/ in the package. */
function home(): string {
  // as it is: bundlers take `new URL(path, import.meta.url)` for a file to put beside the program
  const here = import.meta.url
  return new URL("../", here).pathname
}
const plain = (place: string): string => place.replace(/^file:\/\//, "").replace(/[?#].*$/, "")

/** The innermost frame outside of adjoint's own files; undefined where there is none to be seen, as in a page that is one bundle. */
export function lineOf({ asked }: { readonly asked: Error }): Line | undefined {
  const own = home()
  for (const frame of String(asked.stack).split("\n").slice(1)) {
    const match = /^\s*at (?:(.*?) \()?((?:file:\/\/|https?:\/\/|\/|[A-Za-z]:\\)[^()]*?):(\d+):(\d+)\)?$/.exec(frame)
    if (!match) continue
    const [, name, place, line, column] = match
    const file = plain(place!)
    if (file.startsWith(own) || new URL(place!, "file:///").pathname.startsWith(own) || file.includes("/node_modules/")) continue
    const inside = name && !/^(Object\.)?<anonymous>$|^eval/.test(name) ? { in: name.replace(/^(Module|Object|async)[. ]/, "") } : {}
    return { file, line: Number(line), column: Number(column), ...inside }
  }
  return undefined
}
