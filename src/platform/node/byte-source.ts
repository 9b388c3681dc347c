import { closeSync, fstatSync, openSync, readSync } from "node:fs"
import { basename } from "node:path"
import type { ByteSource } from "../../data/byte-source.ts"
import { DataError } from "../../data/errors.ts"
import { cannot } from "./files.ts"

/**
 * Opens a file for reading at any place. Reads are synchronous: for the few hundred bytes of a row, handing the work to another thread
 * takes several times as long as the work.
 *
 * @throws DataError if it cannot be read.
 */
export function openFile(path: string): ByteSource {
  try {
    const file = openSync(path, "r")
    const there = fstatSync(file)
    if (!there.isFile()) {
      closeSync(file)
      throw new DataError(`Cannot read ${path} at any place: it is no file. Name a file.`)
    }
    const name = basename(path)
    return {
      name,
      size: there.size,
      read(into, at) {
        for (let done = 0; done < into.length; ) {
          const n = readSync(file, into, done, into.length - done, at + done)
          if (n === 0) throw new DataError(`${name} has become shorter while it was read.`)
          done += n
        }
      },
      close: () => closeSync(file),
    }
  } catch (error) {
    throw cannot("read", path, error)
  }
}
