// The final table: the network beside what it has to beat, and a sentence that says whether it does.
import type { TargetColumn } from "../data/encoding.ts"
import type { TrainedModel } from "../train.ts"
import { type Detail, detailOf } from "./detail.ts"
import { detailLines } from "./detail-lines.ts"
import type { Labelled } from "./problem.ts"
import { type ClassScore, type FoldResult, isClassScore, type NumberScore, type Score, scoreOf, scoreOfConstant } from "./scores.ts"
import { aligned, columns, grouped, type Output, paint, percent, show, widthOf, wrap } from "./terminal.ts"

/** Somebody who answered, and how well. */
export interface Entry {
  readonly key: "network" | "linear" | "majority" | "mean"
  /** For sentences. */
  readonly name: string
  readonly score: Score
  /** Of the network. */
  readonly detail?: Detail
}

export function networkEntry(model: TrainedModel, target: TargetColumn, test: Labelled): Entry {
  const detail = detailOf(model, target, test)
  return { key: "network", name: "the network", score: scoreOf(model, target, test), ...(detail && { detail }) }
}

/** Who knows only the training answers: always their most frequent class, or always their mean, which is 0 when standardised. */
export const constantEntry = (answer: number, target: TargetColumn, test: Labelled): Entry => ({
  key: target.kind === "class" ? "majority" : "mean",
  name: target.kind === "class" ? `always ${JSON.stringify(target.values[answer])}` : `always the mean, ${show(target.mean)}`,
  score: scoreOfConstant(answer, target, test),
})

export interface Result {
  /** The model's folder. */
  readonly dir: string
  /** Whether the model has just been saved there. */
  readonly saved: boolean
  /** The command that goes on with its training, if that was stopped with Ctrl-C. */
  readonly resume?: string
  readonly target: TargetColumn
  /** Absent if no rows were held out for a test. */
  readonly network?: Entry
  readonly baselines?: readonly Entry[]
  readonly crossValidation?: FoldResult
}

/** Tells how it ended: the report, the folder and the result, or the last event. */
export function finish(out: Output, { dir, saved, resume, target, network, baselines = [], crossValidation }: Result): void {
  if (network !== undefined) out.lines("", ...reportLines(network, baselines, target, widthOf(process.stdout)), "")
  if (saved) out.say(`Saved in ${dir}. Use it with: adjoint predict ${dir} DATA`)
  if (resume !== undefined) out.say(`Stopped. Go on with: ${resume}`)
  if (network !== undefined) out.result(resultLine(network.score))
  if (crossValidation !== undefined) out.result(`cross-validation: ${foldsText(crossValidation)}`)
  out.event({
    event: "done",
    test:
      network === undefined ? null : { ...network.score, ...(target.kind === "class" && { classes: target.values }), ...network.detail },
    baseline: Object.fromEntries(
      baselines.map(({ key, score: { confusion: _, ...score } }: { key: string; score: Partial<ClassScore> }) => [key, score]),
    ),
    ...(network !== undefined && { beatsBaseline: beats(network.score, baselines) }),
    ...(crossValidation !== undefined && { crossValidation }),
    model: dir,
    ...(resume !== undefined && { stopped: true, resume }),
  })
}

/** The report as lines of at most `width` characters: table, verdict, confusion matrix. */
function reportLines(network: Entry, baselines: readonly Entry[], target: TargetColumn, width: number): string[] {
  const [head, ...rows] = table([network, ...baselines])
  const said = baselines.length === 0 ? [] : wrap(verdict(network, baselines), width)
  const style = beats(network.score, baselines) ? "green" : "yellow"
  const lines = [paint("dim", head!), paint("bold", rows[0]!), ...rows.slice(1), ...said.map(line => paint(style, line))]
  if (target.kind === "class" && isClassScore(network.score)) lines.push("", ...confusionLines(network.score, target.values, width))
  if (network.detail) lines.push("", ...detailLines(network.detail, target, width))
  return lines
}

function table(entries: readonly Entry[]): string[] {
  const rows = entries[0]!.score.rows
  const on = `on ${grouped(rows)} ${rows === 1 ? "row" : "rows"}`
  if (isClassScore(entries[0]!.score)) {
    const cells = entries.map(({ name, score }) => [name, percent((score as ClassScore).accuracy), grouped(wrong(score as ClassScore))])
    const isBalanced = (entries[0]!.score as ClassScore).balancedAccuracy !== undefined
    if (!isBalanced) return columns([[on, "accuracy", "wrong"], ...cells])
    const balanced = entries.map(({ score }) => percent((score as ClassScore).balancedAccuracy!))
    return columns([[on, "accuracy", "balanced", "wrong"], ...cells.map(([name, right, n], i) => [name!, right!, balanced[i]!, n!])])
  }
  const cells = entries.map(({ name, score }) => {
    const { rmse, mae, r2 } = score as NumberScore
    return [name, aligned(rmse), aligned(mae), Number.isNaN(r2) ? "-" : r2.toFixed(3)]
  })
  return columns([[on, "RMSE", "mean error", "R²"], ...cells])
}

const right = ({ confusion }: ClassScore): number => confusion.reduce((sum, row, i) => sum + row[i]!, 0)
const wrong = (score: ClassScore): number => score.rows - right(score)

/** Above 0 if a is better than b: by rows that are right, or by RMSE. */
const gain = (a: Score, b: Score): number => (isClassScore(a) ? right(a) - right(b as ClassScore) : (b as NumberScore).rmse - a.rmse)

/** Whether a network is better than all of its baselines. */
const beats = (network: Score, baselines: readonly Entry[]): boolean => baselines.every(({ score }) => gain(network, score) > 0)

function verdict({ score }: Entry, baselines: readonly Entry[]): string {
  const better = baselines.filter(baseline => gain(score, baseline.score) <= 0)
  if (better.length > 0) {
    const each = better.map(baseline => `${baseline.name} (${main(score)} against ${main(baseline.score)})`)
    const advice = better.some(({ key }) => key === "linear")
      ? "The linear model is the better choice here (--hidden none), "
      : "It has learned nothing useful, "
    return `The network does not beat ${each.join(" nor ")}. ${advice}unless more data or other settings help.`
  }
  const by = ({ score: other }: Entry): string =>
    isClassScore(score) ? `${grouped(gain(score, other))} of ${grouped(score.rows)} rows` : `${show(gain(score, other))} in RMSE`
  return `The network beats ${baselines.map(baseline => `${baseline.name} by ${by(baseline)}`).join(" and ")}.`
}

/** The number by which a score is judged, for people. */
const main = (score: Score): string => (isClassScore(score) ? percent(score.accuracy) : `RMSE ${show(score.rmse)}`)

/** `accuracy 95.33 % ± 1.20 % (mean and standard error of 5 folds)`. */
export function foldsText({ measure, scores, mean, standardError }: FoldResult): string {
  const [name, text] = measure === "accuracy" ? (["accuracy", percent] as const) : (["RMSE", show] as const)
  return `${name} ${text(mean)} ± ${text(standardError)} (mean and standard error of ${scores.length} folds)`
}

/** The last line of all: `test accuracy 97.81 %`. */
const resultLine = (score: Score): string =>
  isClassScore(score)
    ? `test accuracy ${percent(score.accuracy)}`
    : `test RMSE ${show(score.rmse)}, R² ${Number.isNaN(score.r2) ? "-" : score.r2.toFixed(3)}`

/** The matrix of true against predicted classes; where it is too wide, the most frequent mistakes. */
function confusionLines({ confusion }: ClassScore, values: readonly string[], width: number): string[] {
  const names = values.map(value => (value.length > 12 ? `${value.slice(0, 11)}…` : value))
  const rows = confusion.map((row, i) => {
    const n = row.reduce((a, b) => a + b, 0)
    return [names[i]!, ...row.map(k => (k === 0 ? "·" : String(k))), n === 0 ? "-" : percent(row[i]! / n, 1)]
  })
  for (const gap of ["  ", " "]) {
    const [head, ...lines] = columns([["true \\ predicted", ...names, "right"], ...rows], [0], gap)
    if (Math.max(head!.length, ...lines.map(line => line.length)) <= width) return [paint("dim", head!), ...lines]
  }
  const mistakes = confusion.flatMap((row, i) =>
    row.flatMap((n, j) => (i === j || n === 0 ? [] : [{ n, text: `${names[i]} as ${names[j]} (${n})` }])),
  )
  if (mistakes.length === 0) return ["No mistakes."]
  const shown = mistakes.sort((a, b) => b.n - a.n).slice(0, 10)
  return wrap(`Most frequent mistakes: ${shown.map(mistake => mistake.text).join(", ")}.`, width)
}
