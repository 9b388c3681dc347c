import { DataError } from "./errors.ts"

/** Bytes of one row at most: an open quote or a file without line ends must not fill the memory. */
const MAX_ROW = 1 << 24

const [QUOTE, TAB, LF, CR, SPACE] = [0x22, 0x09, 0x0a, 0x0d, 0x20]

export interface ScanOptions {
  readonly name: string
  /** Whether line ends between double quotes are part of a cell. */
  readonly quotes: boolean
  /** Whether tabs are cells, so that a line of them is not empty. */
  readonly tabs: boolean
}

/** Finds rows in the bytes of a file that come piece by piece. */
export class RowScanner {
  private readonly options: ScanOptions
  private position = 0
  private start = 0
  private quoted = false
  private blank = true
  private end: number | undefined
  constructor(options: ScanOptions) {
    this.options = options
  }

  /** Calls `row` with the place in the file of each row that ends in this piece, and of what is behind its end; empty lines are none. */
  scan(piece: Uint8Array, row: (start: number, end: number) => void): void {
    const { quotes, tabs } = this.options
    // in files of old Macs lines end with a carriage return alone
    this.end ??= piece.includes(LF) || !piece.includes(CR) ? LF : CR
    const { end, position } = this
    let { start, quoted, blank } = this
    for (let i = 0; i < piece.length; i++) {
      const byte = piece[i]!
      if (byte === end && !quoted) {
        if (!blank) row(start, position + i + 1)
        start = position + i + 1
        blank = true
      } else if (byte === QUOTE && quotes) {
        quoted = !quoted
        blank = false
      } else if (blank && byte !== SPACE && byte !== CR && (tabs || byte !== TAB)) blank = false
    }
    Object.assign(this, { start, quoted, blank, position: position + piece.length })
    if (this.position - start > MAX_ROW) throw this.tooLong()
  }

  /** The last row, which needs no line end. */
  finish(row: (start: number, end: number) => void): void {
    if (!this.blank) row(this.start, this.position)
  }

  private tooLong(): DataError {
    const { name } = this.options
    const why = this.quoted ? "A double quote opens in it and is never closed: close it" : "Line ends are missing: add them"
    return new DataError(`${name}: the row that begins at byte ${this.start} is longer than ${MAX_ROW} bytes. ${why}, or split the row.`)
  }
}
