import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { afterAll, beforeEach, describe, expect, test } from "vitest"
import { DataError } from "../../data/errors.ts"
import { FormatError } from "../../io/errors.ts"
import { packModel, unpackModel } from "../../io/model.ts"
import { readDataFile, writeFileAtomic } from "./files.ts"
import { checkModelFolder, readModelFolder, writeModelFolder } from "./model-folder.ts"

const root = mkdtempSync(join(tmpdir(), "adjoint-files-"))
const deadPid = 2 ** 22 + 1 // beyond the largest that Linux gives
let home: string
let n = 0
beforeEach(() => {
  home = join(root, String(n++))
  mkdirSync(home)
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const model = (step: number) => packModel({ kind: "model", version: "0.1.0", architecture: null, training: { step }, tensors: {} })
const stepOf = (dir: string) => (unpackModel(readModelFolder(dir)).training as { step: number }).step
const bytes = (text: string) => new TextEncoder().encode(text)

describe("readDataFile", () => {
  test("reads, and decompresses by content", () => {
    writeFileSync(join(home, "a.csv"), "a,b")
    writeFileSync(join(home, "b.csv"), gzipSync("a,b"))
    for (const file of ["a.csv", "b.csv"]) expect(new TextDecoder().decode(readDataFile(join(home, file)))).toBe("a,b")
  })
  test("says what is wrong", () => {
    writeFileSync(join(home, "iris.csv"), "a,b")
    writeFileSync(join(home, "cut.csv.gz"), gzipSync("a,b").subarray(0, 15))
    const cases: [string, string][] = [
      ["Iris.cvs", `there is no such file or folder. Did you mean ${join(home, "iris.csv")}?`],
      ["nowhere/x.csv", "there is no such file or folder. Check the path."],
      [".", "it is a folder; name a file"],
      ["iris.csv/x", "a part of its path is a file, not a folder"],
      ["cut.csv.gz", "cannot be decompressed: unexpected end of file"],
    ]
    for (const [file, message] of cases) {
      expect(() => readDataFile(join(home, file))).toThrow(DataError)
      expect(() => readDataFile(join(home, file))).toThrow(message)
    }
  })
})

describe("writeFileAtomic", () => {
  test("replaces, keeps links, and cleans up after killed runs", () => {
    const file = join(home, "out.csv")
    writeFileSync(join(home, `.out.csv.adjoint-new-${deadPid}`), "half")
    writeFileAtomic(file, bytes("one"))
    symlinkSync(file, join(home, "link.csv"))
    writeFileAtomic(join(home, "link.csv"), bytes("two"))
    expect(readFileSync(file, "utf8")).toBe("two")
    expect(readdirSync(home).sort()).toEqual(["link.csv", "out.csv"])
  })
  test("says what is wrong", () => {
    expect(() => writeFileAtomic(home, bytes(""))).toThrow(`Cannot write ${home}: it is a folder; name a file.`)
    expect(() => writeFileAtomic(join(home, "no/out.csv"), bytes(""))).toThrow("there is no such file or folder")
    expect(readdirSync(home)).toEqual([])
  })
})

describe("model folders", () => {
  test("are written, replaced and read, with the folders above them", () => {
    const dir = join(home, "runs/iris/")
    for (const step of [1, 2, 3]) writeModelFolder(dir, model(step))
    expect(stepOf(dir)).toBe(3)
    expect(readdirSync(join(home, "runs"))).toEqual(["iris"])
  })
  test("keep a user's own files", () => {
    const dir = join(home, "iris")
    writeModelFolder(dir, model(1))
    writeFileSync(join(dir, "notes.txt"), "mine")
    writeModelFolder(dir, model(2))
    expect(readFileSync(join(dir, "notes.txt"), "utf8")).toBe("mine")
    expect(stepOf(dir)).toBe(2)
  })
  test("may be links", () => {
    writeModelFolder(join(home, "iris"), model(1))
    symlinkSync(join(home, "iris"), join(home, "latest"))
    writeModelFolder(join(home, "latest"), model(2))
    expect(stepOf(join(home, "iris"))).toBe(2)
    expect(readdirSync(home).sort()).toEqual(["iris", "latest"])
    renameSync(join(home, "iris"), join(home, ".iris.adjoint-old")) // a process died between the two renames
    expect(stepOf(join(home, "latest"))).toBe(2)
    writeModelFolder(join(home, "latest"), model(3))
    expect(stepOf(join(home, "iris"))).toBe(3)
  })
  test("may be empty before", () => {
    mkdirSync(join(home, "iris"))
    writeModelFolder(join(home, "iris"), model(1))
    expect(stepOf(join(home, "iris"))).toBe(1)
  })
  test("are not put in the place of something else", () => {
    mkdirSync(join(home, "photos"))
    writeFileSync(join(home, "photos/cat.jpg"), "cat")
    mkdirSync(join(home, "other"))
    writeFileSync(join(home, "other/model.json"), "{}")
    writeFileSync(join(home, "file"), "text")
    const cases: [string, string][] = [
      ["photos", 'it exists and is not the folder of an adjoint model (it holds "cat.jpg"), so it is left alone. Choose another folder'],
      ["other", 'it exists and is not the folder of an adjoint model (it holds "model.json")'],
      ["file", "it is a file, and a model is a folder"],
      ["file/deeper", "a part of its path is a file, not a folder"],
    ]
    for (const [name, message] of cases) {
      for (const act of [() => writeModelFolder(join(home, name), model(1)), () => checkModelFolder(join(home, name))]) {
        expect(act).toThrow(DataError)
        expect(act).toThrow(message)
      }
    }
    expect(readdirSync(home).sort()).toEqual(["file", "other", "photos"])
  })
  test("can be checked beforehand without a trace", () => {
    checkModelFolder(join(home, "iris"))
    expect(readdirSync(home)).toEqual([])
  })
  test("that are missing are named", () => {
    expect(() => readModelFolder(join(home, "iris"))).toThrow(`Cannot read ${join(home, "iris")}: there is no such file or folder`)
    writeFileSync(join(home, "iris"), "")
    expect(() => readModelFolder(join(home, "iris"))).toThrow("is a file; wanted the folder of a model")
    expect(() => readModelFolder(join(home, "iris/x"))).toThrow(DataError)
    mkdirSync(join(home, "empty"))
    expect(() => unpackModel(readModelFolder(join(home, "empty")))).toThrow(FormatError)
  })
})

describe("a process that dies", () => {
  const put = (name: string, step: number) => writeModelFolder(join(home, name), model(step))
  const aside = ".iris.adjoint-old"
  const temporary = `.iris.adjoint-new-${deadPid}`
  const write = (name: string, text: string) => writeFileSync(join(home, name), text)
  const moments: [string, () => void, number][] = [
    [
      "while it writes the new files",
      () => {
        put("iris", 1)
        mkdirSync(join(home, temporary))
        write(`${temporary}/model.json`, '{"adj')
      },
      1,
    ],
    ["before the old folder is put aside", () => [put("iris", 1), put(temporary, 2)], 1],
    ["between the two renames", () => [put(aside, 1), put(temporary, 2)], 1],
    ["before the old folder is deleted", () => [put("iris", 2), put(aside, 1)], 2],
    ["while the old folder is deleted", () => [put("iris", 2), put(aside, 1), rmSync(join(home, aside, "model.json"))], 2],
  ]
  test.each(moments)("%s leaves a whole model, and no trace after the next save", (_, die, step) => {
    die()
    expect(stepOf(join(home, "iris"))).toBe(step)
    put("iris", 3)
    expect(stepOf(join(home, "iris"))).toBe(3)
    expect(readdirSync(home)).toEqual(["iris"])
  })
  test("loses no file of the user's", () => {
    put("iris", 2)
    put(aside, 1)
    write(`${aside}/notes.txt`, "mine")
    put("iris", 3)
    expect(existsSync(join(home, aside))).toBe(false)
    expect(readFileSync(join(home, "iris/notes.txt"), "utf8")).toBe("mine")
  })
})
