// The built command in a process of its own, in a folder of its own, and data to give it.
import { type ChildProcess, spawn } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { gzipSync } from "node:zlib"

const main = resolve("dist/cli/main.js")
if (!existsSync(main)) throw new Error("these tests run the built command; build it first: npm run build")

/** A folder to run commands in; `remove` ends what still runs there and deletes it. */
export interface Workplace {
  at(...names: string[]): string
  write(name: string, content: string | Uint8Array): void
  /** Images of 4 x 4 that are bright on the left or on the right, in the files of MNIST. */
  writeImages(folder: string, rows: { train: number; t10k: number }): void
  run(args: readonly string[], options?: RunOptions): Promise<Ended>
  remove(): void
}
export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}
export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Sees the output as it grows. */
  readonly watch?: (child: ChildProcess, out: string, err: string) => void
  readonly program?: string
}

export function workplace(): Workplace {
  const dir = mkdtempSync(join(tmpdir(), "adjoint-cli-"))
  const running = new Set<ChildProcess>()
  const at = (...names: string[]): string => join(dir, ...names)
  const run: Workplace["run"] = (args, { env = {}, watch, program = main } = {}) =>
    new Promise((done, failed) => {
      const { NO_COLOR: _, FORCE_COLOR: __, ...inherited } = process.env
      const child = spawn(process.execPath, [program, ...args], { cwd: dir, env: { ...inherited, ...env } })
      running.add(child)
      let [out, err] = ["", ""]
      child.stdout.on("data", chunk => {
        out += chunk
        watch?.(child, out, err)
      })
      child.stderr.on("data", chunk => {
        err += chunk
        watch?.(child, out, err)
      })
      child.on("error", failed)
      child.on("close", code => {
        running.delete(child)
        done({ code, out, err })
      })
    })

  const writeImages: Workplace["writeImages"] = (folder, rows) => {
    mkdirSync(at(folder))
    for (const [set, n] of Object.entries(rows)) {
      const pixels = Array.from({ length: n * 16 }, (_, i) => (i % 4 < 2 === ((i >> 4) % 2 === 0) ? 200 : 20) + Math.floor(random() * 40))
      writeFileSync(at(folder, `${set}-images-idx3-ubyte`), idx([n, 4, 4], pixels))
      const labels = Array.from({ length: n }, (_, i) => i % 2)
      writeFileSync(at(folder, `${set}-labels-idx1-ubyte.gz`), gzipSync(idx([n], labels)))
    }
  }

  return {
    at,
    run,
    writeImages,
    write: (name, content) => writeFileSync(at(name), content),
    remove() {
      for (const child of running) child.kill("SIGKILL")
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

export const events = (out: string): any[] =>
  out
    .trim()
    .split("\n")
    .map(line => JSON.parse(line))
export const last = (out: string): any => events(out).at(-1)

/** The files of the model in a folder as one text. */
export const bytesOf = (folder: string): string =>
  ["model.json", "weights.safetensors"].map(name => `${name} ${readFileSync(join(folder, name)).toString("base64")}`).join("\n")

// Data: the same on every machine

let word = 12345
const random = (): number => (word = (Math.imul(word, 1664525) + 1013904223) >>> 0) / 2 ** 32

/** Three classes around three centers, with a category that helps, an id that does not, and some cells missing. */
export const flowers = (): string => {
  const kinds = ["aster", "daisy", "tulip"]
  const rows = Array.from({ length: 150 }, (_, i) => {
    const kind = i % 3
    const [x, y] = [(kind === 0 ? 0 : kind === 1 ? 3 : 6) + random() * 2, (kind === 1 ? 3 : 0) + random() * 2]
    return `${i},${x.toFixed(3)},${i % 17 === 5 ? "" : y.toFixed(3)},${["red", "white", "blue"][(kind + (i % 2)) % 3]},${kinds[kind]}`
  })
  return ["id,length,width,color,kind", ...rows].join("\n")
}
/** A number that is no linear function of two others. */
export const houses = (): string => {
  const rows = Array.from({ length: 400 }, () => {
    const [a, b] = [random() * 4 - 2, random() * 4 - 2]
    return `${a.toFixed(4)};${b.toFixed(4)};${(100 + 20 * a * b + random()).toFixed(4)}`
  })
  return ["area;age;price", ...rows].join("\n").replaceAll(".", ",")
}
export const noise = (): string =>
  ["a,b,answer", ...Array.from({ length: 100 }, () => `${random()},${random()},${random() < 0.7 ? "yes" : "no"}`)].join("\n")

const idx = (shape: number[], data: number[]): Uint8Array => {
  const head = Buffer.alloc(4 + 4 * shape.length)
  head.set([0, 0, 8, shape.length])
  for (const [i, n] of shape.entries()) head.writeUInt32BE(n, 4 + 4 * i)
  return Buffer.concat([head, Uint8Array.from(data)])
}
