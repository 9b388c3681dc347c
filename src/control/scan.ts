// Loops as functions: scan, and the loops whose number of turns is known only when they run.
import { Tensor } from "../core/tensor.ts"
import { leaves, type Tree, wantFunction } from "../core/tree.ts"
import { cast } from "../primitives/elementwise.ts"
import { checkpoint } from "./checkpoint.ts"
import { inPieces } from "./pieces.ts"
import { kindOf, lengthOf, recordLoop, wantStructure } from "./record-loop.ts"
import { runLoop } from "./scan-primitive.ts"

export { type Scan, scanP } from "./scan-primitive.ts"

export interface ScanOptions {
  /** Number of turns. Default: the length of axis 0 of `xs`; needed where there are none. */
  readonly length?: number
  /** From the last slice to the first; ys[i] still belongs to xs[i]. Default: false. */
  readonly reverse?: boolean
  /**
   * Truncated backpropagation through time: derivatives go back to the beginning of each piece of so many turns and no further, except
   * that the first piece reaches `init`. Default: through all turns.
   */
  readonly truncate?: number
  /**
   * What the backward pass needs is computed again instead of saved, turn by turn (`true`) or for pieces of so many turns, of which only
   * the carry at the beginning is kept: about sqrt(length) takes the least memory. The same values in the same bits; gradients that
   * are sums over turns (of what `f` takes from outside) are added in another order. Default: false.
   */
  readonly checkpoint?: boolean | number
}

/**
 * A loop as one operation: `f` hands a carry from turn to turn, reads slices of `xs` and stacks what it makes.
 *
 *     carry[0] = init, [carry[t + 1], ys[t]] = f(carry[t], xs[t]), result [carry[length], ys]
 *
 * Carry, x and y are any trees. The leaves of `xs` are [length, ...] and f sees [...]; `xs` may be null, then `length` says how
 * many turns. The carry keeps structure, shapes and dtypes. `f` is recorded, not run: its body is compiled once, whatever the
 * length, and the backward pass keeps only what it needs of each turn. What `f` takes from outside is the same in all turns.
 *
 * Throws TypeError if f does not return a pair, if the structure of the carry changes and if the number of turns is not known;
 * ShapeError and DtypeError if a carry becomes another one or if xs have no axis 0 of one length.
 *
 * @example
 * const decay = (sum: Tensor, x: Tensor) => { const next = sum.mul(0.5).add(x); return [next, next] as const }
 * scan(decay, tensor(0), tensor([1, 2, 3]))  // [4.25, [1, 2.5, 4.25]]
 */
export function scan<C, X, Y>(f: (carry: C, x: X) => readonly [C, Y], init: C, xs: X, options: ScanOptions = {}): [C, Y] {
  const { truncate, checkpoint: again = false, ...rest } = options
  if (again === true) return scan(checkpoint(f), init, xs, { ...rest, ...(truncate !== undefined && { truncate }) })
  const size = sizeOfPieces(truncate, again)
  const length = size === undefined ? 0 : lengthOf(leaves(xs as Tree), rest)
  if (length > 0)
    return inPieces(scan, f, init, xs, {
      length,
      reverse: !!rest.reverse,
      size: size!,
      cut: truncate !== undefined,
      again: again !== false,
    })
  const { operands, p, result } = recordLoop(f, init as Tree, xs as Tree, options)
  return result(runLoop(operands, p))
}

/**
 * As `scan`, for as many turns as `turns` (i32[]) says at run time, `length` at most; what ys hold beyond is not defined.
 * It has no derivative, since what a backward pass would have to keep is not known beforehand.
 */
export function countedScan<C, X, Y>(
  f: (carry: C, x: X) => readonly [C, Y],
  init: C,
  xs: X,
  turns: Tensor,
  options: Pick<ScanOptions, "length"> = {},
): [C, Y] {
  const { operands, p, result } = recordLoop(f, init as Tree, xs as Tree, options)
  return result(runLoop([...operands, turns], { ...p, counted: true }))
}

/**
 * A loop that goes on while `condition(carry)` holds: `carry <- body(carry)`, as one operation.
 *
 * The carry is any tree and keeps its structure, shapes and dtypes; `condition` returns a bool scalar. With `vmap` the loop goes on
 * until all examples have ended. Forward mode works; reverse mode throws TypeError, since what it would have to remember is
 * not known beforehand: see `scan`, `fixedPoint` and `root`.
 *
 * Throws TypeError if the condition is no bool scalar, and what `scan` throws of a carry.
 *
 * @example
 * // the first of 3, 6, 12, ... that is not less than 100
 * whileLoop((x: Tensor) => less(x, 100), x => x.mul(2), tensor(3))  // 192
 */
export function whileLoop<C>(condition: (carry: C) => Tensor, body: (carry: C) => C, init: C): C {
  for (const f of [condition, body]) wantFunction("whileLoop", f)
  const goes = (carry: C): Tensor => {
    const go = condition(carry)
    if (!(go instanceof Tensor) || go.dtype !== "bool" || go.ndim > 0)
      throw new TypeError(`whileLoop: the condition must return a bool scalar, such as greater(error, 1e-6); it returned ${kindOf(go)}`)
    return cast(go, "i32")
  }
  const step = ([, carry]: readonly [Tensor, C]): readonly [readonly [Tensor, C], null] => {
    const next = body(carry)
    wantStructure("whileLoop: body", init as Tree, next as Tree)
    return [[goes(next), next], null]
  }
  const { operands, p, result } = recordLoop(step, [goes(init), init] as Tree, null, { length: MOST_TURNS }, "whileLoop")
  const [[, last]] = result(runLoop(operands, { ...p, conditional: true }))
  return last
}
const MOST_TURNS = 2 ** 31 - 1

function sizeOfPieces(truncate: number | undefined, again: number | false): number | undefined {
  const size = truncate ?? (again === false ? undefined : again)
  for (const [name, n] of Object.entries({ truncate, checkpoint: again || undefined }))
    if (n !== undefined && !(Number.isInteger(n) && n >= 1))
      throw new TypeError(`scan: \`${name}\` is a whole number of turns from 1${name === "checkpoint" ? ", true or false" : ""}; got ${n}`)
  if (again !== false && again !== size)
    throw new TypeError(`scan: \`truncate\` and \`checkpoint\` must name pieces of one size; got ${truncate} and ${again}`)
  return size
}
