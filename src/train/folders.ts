/** How model folders are written and read; the preset installs what the platform has. */
export interface Folders {
  write(dir: string, files: ReadonlyMap<string, Uint8Array>): Promise<void>
  read(dir: string): Promise<Map<string, Uint8Array>>
  /** Deletes the files of a model folder if there is one, and the folder if nothing else is in it. */
  remove(dir: string): Promise<void>
}
let installed: Folders | undefined
export const installFolders = (f: Folders): void => void (installed = f)

function folders(): Folders {
  if (!installed)
    throw new Error("there is no file system here; use trained.pack(), which gives the files as bytes, and unpack() to read them")
  return installed
}
export const writeFolder = (dir: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> => folders().write(dir, files)
export const readFolder = (dir: string): Promise<Map<string, Uint8Array>> => folders().read(dir)
export const removeFolder = (dir: string): Promise<void> => folders().remove(dir)
