// Cross-validation: as many models as folds, each tested on the rows that the others were trained on.
import { existsSync, mkdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import type { TargetColumn } from "../data/encoding.ts"
import { learn } from "./learn.ts"
import type { Settings } from "./network.ts"
import { ownModel } from "./own-model.ts"
import type { Problem } from "./problem.ts"
import { hasCheckpoint, readJson, writeJson } from "./run-folder.ts"
import { type FoldResult, isClassScore, type Score, scoreOf, together } from "./scores.ts"
import { type Output, percent, show } from "./terminal.ts"

/** How a cross-validation is seen, and where it is kept. */
export interface FoldsOptions {
  readonly signal: AbortSignal
  readonly out: Output
  /** Of the folds that are done and the one under way. */
  readonly dir: string
  /** Seconds between two checkpoints. */
  readonly checkpointEvery: number
}

/**
 * Trains and tests a model for each fold, with the same settings; nothing if it was stopped before the last one. Goes on where an earlier
 * part has ended: folds that are done are not trained again, and the one that was under way goes on from its checkpoint.
 */
export async function crossValidate(
  problems: readonly Problem[],
  settings: Settings,
  { signal, out, dir, checkpointEvery }: FoldsOptions,
): Promise<FoldResult | undefined> {
  const file = join(dir, "scores.json")
  const scores = readScores(file)
  for (const [i, problem] of problems.entries()) {
    const checkpoint = join(dir, String(i + 1))
    if (i === scores.length) {
      if (signal.aborted) return undefined
      const model = settings.model === undefined ? undefined : await ownModel(settings.model, problem)
      const keeping = { checkpoint, checkpointEvery, resume: hasCheckpoint(checkpoint) }
      const learned = await learn(problem, settings, signal, { model, ...keeping })
      if (signal.aborted) return undefined
      scores.push(scoreOf(learned.model, problem.target, problem.test()!))
      mkdirSync(dir, { recursive: true })
      writeJson(file, scores)
    }
    rmSync(checkpoint, { recursive: true, force: true })
    const score = scores[i]!
    out.say(`fold ${i + 1} of ${problems.length}: ${mainText(mainOf(score), problem.target)}`)
    out.event({ event: "fold", fold: i + 1, folds: problems.length, test: score })
  }
  return together(scores.map(mainOf), problems[0]!.target)
}

/** Of the folds that are done. JSON has null for what is no number, such as R² of rows that do not vary. */
function readScores(file: string): Score[] {
  if (!existsSync(file)) return []
  const numbers = (score: object) => Object.fromEntries(Object.entries(score).map(([name, value]) => [name, value ?? Number.NaN]))
  return (readJson(file) as object[]).map(score => numbers(score) as unknown as Score)
}

const mainOf = (score: Score): number => (isClassScore(score) ? score.accuracy : score.rmse)

const mainText = (value: number, target: TargetColumn): string =>
  target.kind === "class" ? `accuracy ${percent(value)}` : `RMSE ${show(value)}`
