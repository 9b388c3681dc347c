import { readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import type { ImageFile } from "../../data/images/files.ts"
import { cannot, readDataFile } from "./files.ts"

const IMAGE = /\.(png|jpe?g)$/i

/** An image that is read at once. */
export interface LocalImage extends ImageFile {
  bytes(): Uint8Array
}

/** The images in the folders of a folder, hidden ones left out, sorted by folder and name. */
export function imagesIn(dir: string): LocalImage[] {
  return namesIn(dir)
    .filter(name => !name.startsWith(".") && isFolder(join(dir, name)))
    .flatMap(name => imagesOf(join(dir, name)))
}

/** The images of one folder. */
export function imagesOf(dir: string): LocalImage[] {
  return namesIn(dir)
    .filter(name => !name.startsWith(".") && IMAGE.test(name))
    .map(name => imageFile(join(dir, name)))
}

export const imageFile = (path: string): LocalImage => ({ path, bytes: () => readDataFile(path) })

export const isImageName = (path: string): boolean => IMAGE.test(path)

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir).sort()
  } catch (error) {
    throw cannot("read", dir, error)
  }
}
