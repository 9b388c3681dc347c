// Cross-validation: as many models as folds, each tested on the rows that the others were trained on.
import type { TargetColumn } from "../data/encoding.ts"
import { learn } from "./learn.ts"
import type { Settings } from "./network.ts"
import { ownModel } from "./own-model.ts"
import type { Problem } from "./problem.ts"
import { type FoldResult, isClassScore, type Score, scoreOf, together } from "./scores.ts"
import { type Output, percent, show } from "./terminal.ts"

/** Trains and tests a model for each fold, with the same settings; nothing if it was stopped before the last one. */
export async function crossValidate(
  problems: readonly Problem[],
  settings: Settings,
  signal: AbortSignal,
  out: Output,
): Promise<FoldResult | undefined> {
  const scores: Score[] = []
  for (const [i, problem] of problems.entries()) {
    if (signal.aborted) return undefined
    const model = settings.model === undefined ? undefined : await ownModel(settings.model, problem)
    const learned = await learn(problem, settings, signal, { model })
    if (signal.aborted) return undefined
    const score = scoreOf(learned.model, problem.target, problem.test()!)
    scores.push(score)
    out.say(`fold ${i + 1} of ${problems.length}: ${mainText(mainOf(score), problem.target)}`)
    out.event({ event: "fold", fold: i + 1, folds: problems.length, test: score })
  }
  return together(scores.map(mainOf), problems[0]!.target)
}

const mainOf = (score: Score): number => (isClassScore(score) ? score.accuracy : score.rmse)

const mainText = (value: number, target: TargetColumn): string =>
  target.kind === "class" ? `accuracy ${percent(value)}` : `RMSE ${show(value)}`
