// Where a NaN or an infinity comes from: the first operation that made it out of finite numbers.
import { paths, type Tree } from "../../core/tree.ts"
import { prose } from "../layout.ts"
import { say } from "../messages/index.ts"
import type { OriginCause } from "../messages/origin.ts"
import { type Line, lineOf } from "../source-line.ts"
import { operations, record } from "../tape.ts"
import { backwardOrigin, forwardOrigin } from "./search.ts"

/** One operand of the operation that made the number. */
export interface OriginOperand {
  /** `operand 0`, or `cotangent` for what arrives from the side of the loss. */
  readonly name: string
  /** Such as `f32[2,3]`. */
  readonly type: string
  /** The place of the number that did it, and the number; where a result gathers many, the most extreme one. */
  readonly index: readonly number[]
  readonly value: number
}

/** Where a NaN or an infinity comes from. Plain data; `renderOrigin` makes text of it. */
export interface Origin {
  /** `input`: it was handed in; `backward`: the value is finite, the gradient is not. */
  readonly phase: "input" | "forward" | "backward"
  /** The operation, such as `log`; backwards the forward operation that it belongs to; of an input its path. */
  readonly operation: string
  /** Layers, composites and turns of loops that it stands in, outermost first. */
  readonly scope: readonly string[]
  /** How many operations have run before it. */
  readonly step: number
  /** The first number that is not finite, and its place in the result. */
  readonly value: number
  readonly index: readonly number[]
  /** How many elements of the result are not finite, of how many. */
  readonly count: number
  readonly size: number
  readonly operands: readonly OriginOperand[]
  /** The line that asked for the operation; of operations in jitted functions and loops the line of the call. */
  readonly line?: Line
  readonly cause: OriginCause
  /** What happened, and what to do about it. */
  readonly sentence: string
  readonly remedy: string
}

export interface OriginOptions {
  /** Whether to look for it in the gradient too, if the value is finite. Default: true, where the value is a scalar. */
  readonly gradient?: boolean
}

/**
 * The first operation of `f`, or of its gradient, that made a NaN or an infinity out of finite numbers; null where value and gradient
 * are finite.
 *
 * `f` is run operation by operation with these very numbers, jitted functions, branches and loops unrolled, and then backwards in the
 * same way, from the scalar that it returns (or the first entry of `[loss, aux]`) to all floating-point arguments. Infinities that
 * lead nowhere, such as those of a mask that `exp` turns to 0, are no origin. Loops of more than 20,000 operations stay one operation.
 *
 * @example
 * const origin = findOrigin((x: Tensor) => x.log().sum(), [tensor([1, 0])])
 * origin!.sentence  // "log(0) is -Infinity at [1]."
 */
export function findOrigin(f: (...args: any[]) => any, inputs: readonly unknown[], { gradient = true }: OriginOptions = {}): Origin | null {
  const caller = lineOf({ asked: new Error() })
  const tape = record(f, inputs, operations())
  const names = paths(inputs as Tree)
  const origin = forwardOrigin(tape, tape.outputs, names) ?? (gradient ? backwardOrigin(tape, names) : null)
  if (!origin) return null
  const { line, ...rest } = origin
  // a function that was jitted as a whole has no line but the one that called this function
  return line && !(caller && line.file === caller.file && line.line === caller.line) ? { ...rest, line } : rest
}

/**
 * An origin as text of at most 80 columns; of null that all is finite.
 *
 * @example
 * const text = renderOrigin(findOrigin((x: Tensor) => x.log().sum(), [tensor([1, 0])]))
 */
export function renderOrigin(origin: Origin | null): string {
  if (!origin) return say.origin.finite
  const { operands, line, scope } = origin
  const lines = [
    ...prose(origin.sentence, 0, 2),
    ...(scope.length ? prose(say.origin.where(scope), 2) : []),
    ...(line ? [`  ${say.origin.line(line)}`] : []),
    ...operands.flatMap(o => prose(say.origin.operand(o), 2)),
    ...(origin.size > 1 ? [`  ${say.origin.count(origin)}`] : []),
    ...prose(origin.remedy, 0, 2),
  ]
  return lines.join("\n")
}
