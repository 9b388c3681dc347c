import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, statSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { DataError } from "../../data/errors.ts"
import { listNames } from "../../data/names.ts"
import { MODEL_FILES, MODEL_JSON } from "../../io/model.ts"
import { cannot, placeOf, removeStale, syncFolder, temporaryOf, writeDurably } from "./files.ts"

/**
 * Reads the files of a model folder, to be given to `unpackModel`. If the process that replaced the folder died between its two
 * renames, the old model is read from where it was put aside. A folder may be read while another process replaces it.
 *
 * @throws DataError if there is no such folder, or a file of it cannot be read.
 * @example unpackModel(readModelFolder("runs/iris"), "runs/iris")
 */
export function readModelFolder(dir: string): Map<string, Uint8Array> {
  const place = placeOf(dir)
  try {
    for (let attempt = 0; attempt < 100; attempt++) {
      const files = readFiles(place)
      if (files !== undefined) return files
      const old = readFiles(asideOf(place))
      if (old !== undefined && !existsSync(place)) return old // else a new one has come, and the old may have been half deleted
    }
    throw Object.assign(new Error(), { code: "ENOENT" })
  } catch (error) {
    throw cannot("read", dir, error)
  }
}

/** Undefined if the folder is not there, or another took its place while it was read: then the files may be of two models. */
function readFiles(dir: string): Map<string, Uint8Array> | undefined {
  const stat = statSync(dir, { throwIfNoEntry: false, bigint: true })
  if (stat === undefined) return undefined
  if (!stat.isDirectory()) throw new DataError(`${dir} is a file; wanted the folder of a model, with ${MODEL_JSON} in it.`)
  const files = new Map<string, Uint8Array>()
  for (const name of MODEL_FILES) {
    try {
      files.set(name, readFileSync(join(dir, name)))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw cannot("read", join(dir, name), error)
    }
  }
  const after = statSync(dir, { throwIfNoEntry: false, bigint: true })
  // Systems give the numbers of deleted folders again, so the time counts too.
  return after?.ino === stat.ino && after.ctimeNs === stat.ctimeNs ? files : undefined
}

/**
 * Writes a model folder so that at every instant either the old model or the new one can be read, whole, whenever the process is killed.
 *
 * All files are written beside the folder and flushed to the disk; then the old folder is renamed away and the new one takes its
 * place. Files in the old folder that are not the model's move to the new one. What killed runs have left is cleaned up. One process
 * at a time may write a folder.
 *
 * @throws DataError if the folder exists and is no model's, or cannot be written; an existing model is then as it was.
 * @example writeModelFolder("runs/iris", packModel(model))
 */
export function writeModelFolder(dir: string, files: ReadonlyMap<string, Uint8Array>): void {
  const place = placeOf(dir)
  const aside = asideOf(place)
  const temporary = temporaryOf(place)
  try {
    makeReady(place, dir)
    for (const [name, bytes] of files) writeDurably(join(temporary, name), bytes)
    syncFolder(temporary)
    if (existsSync(place)) renameSync(place, aside)
    renameSync(temporary, place)
    syncFolder(dirname(place))
    retire(place)
  } catch (error) {
    if (existsSync(temporary)) rmSync(temporary, { recursive: true, force: true })
    if (!existsSync(place) && existsSync(aside)) renameSync(aside, place)
    throw cannot("write", dir, error)
  }
}

/** Ends what a process that was killed while it wrote the folder has begun; does nothing elsewhere. */
export function recoverModelFolder(dir: string): void {
  const place = placeOf(dir)
  if (existsSync(dirname(place))) recover(place)
}

/** Deletes the files of a model folder, and the folder if nothing else is in it. A folder that is not there is none to delete. */
export function removeModelFolder(dir: string): void {
  const place = placeOf(dir)
  try {
    if (existsSync(dirname(place))) recover(place)
    for (const name of MODEL_FILES) rmSync(join(place, name), { force: true })
    if (existsSync(place) && readdirSync(place).length === 0) rmdirSync(place)
  } catch (error) {
    throw cannot("write", dir, error)
  }
}

/**
 * Checks, before hours of training, that a model can be written to a folder. Makes the folders above it.
 *
 * @throws DataError as `writeModelFolder` does, with the reason.
 */
export function checkModelFolder(dir: string): void {
  const place = placeOf(dir)
  try {
    makeReady(place, dir)
    rmdirSync(temporaryOf(place))
  } catch (error) {
    throw cannot("write", dir, error)
  }
}

function makeReady(place: string, dir: string): void {
  mkdirSync(dirname(place), { recursive: true })
  recover(place)
  checkReplaceable(dir)
  mkdirSync(temporaryOf(place))
}

/** Where the old folder waits while the new one takes its place. */
function asideOf(place: string): string {
  return join(dirname(place), `.${basename(place)}.adjoint-old`)
}

/** Ends what a process that was killed has begun: back to the old folder if the new one had not yet taken its place. */
function recover(place: string): void {
  removeStale(place)
  if (!existsSync(place) && existsSync(asideOf(place))) renameSync(asideOf(place), place)
  else retire(place)
}

/** Deletes the model that was put aside; other files that lay with it move to the new folder. */
function retire(place: string): void {
  const aside = asideOf(place)
  if (!existsSync(aside)) return
  for (const name of readdirSync(aside)) {
    if (MODEL_FILES.includes(name) || existsSync(join(place, name))) rmSync(join(aside, name), { recursive: true, force: true })
    else renameSync(join(aside, name), join(place, name))
  }
  rmdirSync(aside)
}

function checkReplaceable(dir: string): void {
  const stat = statSync(dir, { throwIfNoEntry: false })
  if (stat === undefined) return
  if (!stat.isDirectory()) throw new DataError(`Cannot write ${dir}: it is a file, and a model is a folder. Choose another name.`)
  const names = readdirSync(dir)
  if (names.length === 0 || isModel(dir)) return
  throw new DataError(
    `Cannot write ${dir}: it exists and is not the folder of an adjoint model (it holds ${listNames(names, 3)}), so it is left alone. ` +
      "Choose another folder, or empty this one.",
  )
}

/** Whether one of the files there says so: a run that has not ended has no model yet. */
function isModel(dir: string): boolean {
  return [MODEL_JSON, "config.json"].some(name => {
    try {
      return JSON.parse(readFileSync(join(dir, name), "utf8")).adjoint?.format !== undefined
    } catch {
      return false
    }
  })
}
