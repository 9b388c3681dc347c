// The folder of a run: what decided the training, where it ran, how it went, and what it takes to go on. The model lies in it as well.
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs"
import { cpus } from "node:os"
import { join } from "node:path"
import { DataError } from "../data/errors.ts"
import { cannot, writeFileAtomic } from "../platform/node/files.ts"
import { compiler } from "../runtime/program.ts"
import { VERSION } from "../train/trained.ts"
import type { FitEvent } from "../train.ts"

/** The files of a run beside those of its model. */
export const RUN_FILES = {
  /** Settings by the names of the flags, and which data it was. */
  config: "config.json",
  /** Versions, engine, processor, and when the parts of the training began. */
  environment: "environment.json",
  /** One line for each epoch, and for each finding of health. */
  metrics: "metrics.ndjson",
  /** The last two checkpoints. */
  checkpoints: "checkpoints",
  /** Of a cross-validation: the scores of the folds that are done, and the checkpoints of the one that is not. */
  folds: "folds",
  /** Scores on the test rows. */
  results: "results.json",
  report: "report.html",
} as const
/** Of the files here, as the model's folder has one. */
const FORMAT = 1

/** What a run was made with. */
export interface RunConfig {
  /** As the argument of `train` was given. */
  readonly data: string
  /** Of the data, to know them again. */
  readonly sha256: string
  readonly settings: Readonly<Record<string, unknown>>
}

type Epoch = Extract<FitEvent, { event: "epoch" }>
type Found = Extract<FitEvent, { event: "finding" }>
/** A line of the metrics. */
export type EpochLine = Epoch & { readonly step: number; readonly learningRate: number }
export type MetricsLine = EpochLine | Found

/** A run that is being trained. */
export class RunFolder {
  readonly dir: string
  /** Epochs that have ended, also those of an earlier part. */
  epochs: EpochLine[] = []
  findings: Found[] = []
  constructor(dir: string) {
    this.dir = dir
  }
  at(name: keyof typeof RUN_FILES): string {
    return join(this.dir, RUN_FILES[name])
  }

  /** Whether there is a checkpoint to go on from. */
  get hasCheckpoint(): boolean {
    return hasCheckpoint(this.at("checkpoints"))
  }

  /** A new training begins here: what an older one has left goes, but for its model, which stays until there is a new one. */
  begin({ data, sha256, settings }: RunConfig): void {
    mkdirSync(this.dir, { recursive: true })
    this.clear()
    writeFileAtomic(this.at("metrics"), new Uint8Array())
    writeJson(this.at("config"), { adjoint: { format: FORMAT, version: VERSION, sha256 }, data, ...settings })
  }

  /** Takes back what `begin` has made. A model in the folder stays. */
  discard(): void {
    this.clear()
    if (readdirSync(this.dir).length === 0) rmdirSync(this.dir)
  }
  private clear(): void {
    for (const name of Object.keys(RUN_FILES) as (keyof typeof RUN_FILES)[]) rmSync(this.at(name), { recursive: true, force: true })
  }

  /** A part of the training begins, the first one or one after a break. */
  enter(deterministic: boolean): void {
    const { node, v8 } = process.versions
    const before = existsSync(this.at("environment")) ? (readJson(this.at("environment")) as Partial<Environment>).started : undefined
    writeJson(this.at("environment"), {
      ...{ adjoint: VERSION, node, v8, platform: `${process.platform} ${process.arch}`, processor: cpus()[0]?.model ?? "unknown" },
      ...{ engine: compiler().main.name, simd: "v128", deterministic },
      started: [...(before ?? []), new Date().toISOString()],
    } satisfies Environment)
  }

  /** Takes over the metrics of the epochs that the checkpoint has; what came after it will come again. Returns the epochs that are missing. */
  takeOver(epochsDone: number): number {
    const lines = epochsDone > 0 || existsSync(this.at("metrics")) ? readMetrics(this.at("metrics")) : []
    this.epochs = lines.filter(line => line.event === "epoch").filter(({ epoch }) => epoch <= epochsDone)
    this.findings = lines.filter(line => line.event === "finding")
    const text = [...this.epochs, ...this.findings].map(line => `${JSON.stringify(line)}\n`).join("")
    writeFileAtomic(this.at("metrics"), new TextEncoder().encode(text))
    return epochsDone - this.epochs.length
  }
  /** At once, so that it stands there before the checkpoint says that the epoch is done. */
  add(line: MetricsLine): void {
    if (line.event === "epoch") this.epochs.push(line)
    else if (this.findings.some(f => f.kind === line.kind && f.layer === line.layer)) return
    else this.findings.push(line)
    try {
      appendFileSync(this.at("metrics"), `${JSON.stringify(line)}\n`)
    } catch (error) {
      throw cannot("write", this.at("metrics"), error)
    }
  }
}

/** Whether a folder has a checkpoint to go on from: a training may have been killed before the first one. */
export const hasCheckpoint = (dir: string): boolean => ["a", "b"].some(name => existsSync(join(dir, name)))

/** Where a run was trained. */
export interface Environment {
  readonly adjoint: string
  readonly node: string
  readonly v8: string
  readonly platform: string
  readonly processor: string
  readonly engine: string
  readonly simd: string
  readonly deterministic: boolean
  /** When each part of the training began. */
  readonly started: readonly string[]
}

/**
 * What a run was made with.
 *
 * @throws DataError for a folder that is no run's.
 */
export function readRunConfig(dir: string): RunConfig {
  const file = join(dir, RUN_FILES.config)
  if (!existsSync(file))
    throw new DataError(`${dir} is not the folder of a run: it has no ${RUN_FILES.config}. Wanted one that adjoint train wrote.`)
  const { adjoint, data, ...settings } = readJson(file) as Record<string, unknown> & { adjoint?: { format?: unknown; sha256?: unknown } }
  if (typeof adjoint?.format !== "number" || typeof adjoint.sha256 !== "string" || typeof data !== "string")
    throw new DataError(`${file} is not the configuration of a run: it lacks adjoint.format, adjoint.sha256 or data.`)
  if (adjoint.format > FORMAT)
    throw new DataError(
      `${file} has format ${adjoint.format}; this version reads up to ${FORMAT}. Update adjoint: npm install adjoint@latest`,
    )
  return { data, sha256: adjoint.sha256, settings }
}

/** The lines of the metrics that are whole: a process that was killed may have left half a line. */
export function readMetrics(file: string): MetricsLine[] {
  if (!existsSync(file)) return []
  return readFileSync(file, "utf8")
    .split("\n")
    .flatMap(line => {
      try {
        return [JSON.parse(line) as MetricsLine]
      } catch {
        return []
      }
    })
}

export const writeJson = (file: string, value: unknown): void =>
  writeFileAtomic(file, new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`))

/** @throws DataError for what is not there or no JSON. */
export function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"))
  } catch (error) {
    if (error instanceof SyntaxError) throw new DataError(`${file} is not JSON: ${error.message}. Use a copy, or train again.`)
    throw cannot("read", file, error)
  }
}
