// Where there is a file system, tables that stay in their file and folders of images are opened by path.
import { installOpener } from "../data/byte-source.ts"
import { installImages } from "../data/images/files.ts"

const { process } = globalThis as { process?: { versions?: { node?: string } } }
if (process?.versions?.node !== undefined) {
  // loaded when needed: the file names node modules, which browsers do not have
  installOpener(async path => (await import("../platform/node/byte-source.ts")).openFile(path))
  installImages(async dir => (await import("../platform/node/image-files.ts")).imagesIn(dir))
}
