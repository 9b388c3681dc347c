// Where images come from; the preset installs what the platform has.

/** An image that is read when it is needed. */
export interface ImageFile {
  /** With the folder of its class: "photos/cat/1.png", or "cat/1.png". */
  readonly path: string
  bytes(): Uint8Array | Promise<Uint8Array>
}

let lister: ((dir: string) => Promise<readonly ImageFile[]>) | undefined
export const installImages = (list: (dir: string) => Promise<readonly ImageFile[]>): void => void (lister = list)

/** @throws TypeError for a path where there is no file system. */
export async function imagesOf(folder: string | readonly ImageFile[]): Promise<readonly ImageFile[]> {
  if (typeof folder !== "string") return folder
  if (lister === undefined) throw new TypeError("imageFolder: there is no file system here; give it a list of files")
  return lister(folder)
}
