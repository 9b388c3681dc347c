// Where there is a file system, models are saved in folders.
import { installFolders } from "../train/folders.ts"

const { process } = globalThis as { process?: { versions?: { node?: string } } }
if (process?.versions?.node !== undefined) {
  // loaded when needed: the file names node modules, which browsers do not have
  const platform = () => import("../platform/node/model-folder.ts")
  installFolders({
    write: async (dir, files) => (await platform()).writeModelFolder(dir, files),
    read: async dir => (await platform()).readModelFolder(dir),
    remove: async dir => (await platform()).removeModelFolder(dir),
  })
}
