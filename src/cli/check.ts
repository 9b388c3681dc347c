// `adjoint check`: is a gradient right? That of functions in a file of the user's, or that of a saved model.
import { statSync } from "node:fs"
import type { Command } from "commander"
import { DataError } from "../data/errors.ts"
import { type Diagnosis, diagnose, renderDiagnosis } from "../explain.ts"
import { cast, checkGrads, GradientError, mean, mul, random, type Tensor, tensor } from "../index.ts"
import { loadModel } from "../train.ts"
import { lossFor } from "./network.ts"
import { type CommonOptions, seed as wholeNumber, withCommon } from "./options.ts"
import type { Saved } from "./saved.ts"
import { Output } from "./terminal.ts"
import { importFile } from "./user-module.ts"

interface CheckOptions extends CommonOptions {
  readonly seed?: number
}

export function define(command: Command): void {
  command
    .argument("<what>", "a file that exports forward, backward and inputs; or the folder of a model")
    .option("--seed <n>", "of the places nearby, and of a model's inputs (default: 1)", wholeNumber)
  withCommon(command, [
    ["adjoint check gradient.js", "is backward the gradient of forward, and if not, what is wrong?"],
    ["adjoint check runs/iris", "the gradients of a saved model against differences"],
  ])
    .addHelpText("after", `\nThe file, say gradient.js:\n${EXAMPLE}`)
    .action(run)
}

const EXAMPLE = `  import { matmul, mean, square, tensor } from "adjoint"
  export const inputs = [tensor([[0.5], [0.2]]), tensor([[0.1, 0.3], [1, 2]])]
  export const forward = (w, x) => mean(square(matmul(x, w)))
  export const backward = (w, x) => [gradientByHand(w.toArray(), x.toArray()), null]
Without backward the gradient of forward itself is judged, with its customVjp rules.`

async function run(what: string, options: CheckOptions): Promise<void> {
  const out = new Output(options)
  const stats = statSync(what, { throwIfNoEntry: false })
  if (!stats) throw new DataError(`${what} does not exist; wanted a file with forward, backward and inputs, or the folder of a model.`)
  const verdict = stats.isDirectory() ? await checkModel(what, options, out) : await checkFile(what, options, out)
  if (verdict !== "right") process.exitCode = 1
}

/** What a file exports. */
interface Functions {
  readonly forward?: unknown
  readonly backward?: unknown
  readonly inputs?: unknown
  readonly names?: unknown
}

async function checkFile(file: string, { seed = 1 }: CheckOptions, out: Output): Promise<Diagnosis["verdict"]> {
  const { forward, backward, inputs, names } = (await importFile(file)) as Functions
  if (typeof forward !== "function") throw new DataError(`${file} must export forward, a function that returns the loss.`)
  if (!Array.isArray(inputs)) throw new DataError(`${file} must export inputs, a list of the arguments of forward.`)
  if (backward !== undefined && typeof backward !== "function" && !Array.isArray(backward))
    throw new DataError(`${file}: backward must be a function that returns a list of gradients, or that list.`)
  const options = { seed, ...(Array.isArray(names) && { names }) }
  const report = judged(file, () =>
    backward === undefined
      ? diagnose(forward as never, inputs, options)
      : diagnose(forward as never, backward as readonly unknown[], inputs, options),
  )
  out.result(renderDiagnosis(report))
  out.event({ event: "done", ...report })
  return report.verdict
}

/** What the functions throw is a fault of the file. */
function judged<T>(file: string, f: () => T): T {
  try {
    return f()
  } catch (error) {
    throw new DataError(`${file}: ${(error as Error).message}`)
  }
}

/** Rows of random numbers that a model's gradients are checked with. */
const ROWS = 3

async function checkModel(dir: string, { seed = 1 }: CheckOptions, out: Output): Promise<Diagnosis["verdict"]> {
  const { trained, encoding } = await loadModel(dir)
  const target = (encoding as Saved["encoding"] | undefined)?.target
  const x = cast(random.normal(random.key(seed), [ROWS, ...trained.inShape]), "f64")
  const answers = target && answersFor(target, random.fold(random.key(seed), 1))
  const loss = (params: unknown, state: unknown, x: Tensor): Tensor => {
    const [y] = trained.model.apply(params as never, state as never, x, { training: false })
    return target ? lossFor(target)(y, target.kind === "class" ? answers! : cast(answers!, y.dtype as "f64")) : mean(mul(y, y))
  }
  const args = [trained.params, trained.state, x]
  // across the kinks of relu differences disagree with every derivative: what agrees with shorter steps, or along another way, is right
  let wrong: GradientError | undefined
  for (const [k, { eps, tolerance }] of STEPS.entries())
    try {
      const { checks, worst } = checkGrads(loss, args, { order: 1, modes: ["forward", "reverse"], seed: seed + k, eps, tolerance })
      out.result(`The gradients of ${dir} agree with differences.`)
      out.event({ event: "done", verdict: "right", checks, worst })
      return "right"
    } catch (error) {
      if (!(error instanceof GradientError)) throw error
      wrong ??= error
    }
  const { message, leaf, index, wanted, got } = wrong!
  out.result(message)
  out.event({ event: "done", verdict: "wrong", reason: message, leaf, index, wanted, got })
  return "wrong"
}
/** Steps of the differences, and how far they can be trusted. */
const STEPS = [
  { eps: 1e-5, tolerance: 1e-5 },
  { eps: 1e-3, tolerance: 1e-6 },
  { eps: 1e-6, tolerance: 1e-4 },
  { eps: 1e-7, tolerance: 1e-3 },
]

function answersFor(target: Saved["encoding"]["target"], key: Tensor): Tensor {
  if (target.kind === "number") return random.normal(key, [ROWS, 1])
  const uniform = random.uniform(key, [ROWS]).values()
  return tensor(
    Array.from(uniform, u => Math.floor(u * target.values.length)),
    { dtype: "i32" },
  )
}
