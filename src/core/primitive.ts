import type { Index } from "../ir/affine.ts"
import type { Bound, Expr, Read } from "../ir/expr.ts"
import type { Aval, Shape } from "./aval.ts"
import type { Tensor } from "./tensor.ts"

/** `null` is a tangent or cotangent known to be zero. */
export type Maybe = Tensor | null
/** An operand during transposition: known operands are values, linear ones only their aval. */
export type Operand = Tensor | Aval
/** A batch axis, or `null` where an operand or output is the same for all examples. */
export type Axis = number | null

/** A recorded program; core only hands it on (see graph/). */
export interface Program {
  readonly inputs: readonly unknown[]
}

/** The element of an output at an index, from reads of the operands. */
export type Element<P, R> = (ins: readonly Read[], idx: readonly Index[], p: P, avals: readonly Aval[]) => R

/**
 * Operands [constants, initial carry, stacked xs, number of turns if `counted`], outputs [last carry, stacked ys]. The graph maps
 * [constants, carry, x] to [carry, y]; x and y are slices along axis 0.
 */
export interface Loop {
  readonly graph: Program
  /** Turns; if `counted` or `conditional`, the most there can be. */
  readonly length: number
  readonly constants: number
  readonly carry: number
  /** From the last slice to the first. */
  readonly reverse: boolean
  /** Whether the last operand, an i32 scalar, says at run time how many turns there are. What ys hold beyond is not defined. */
  readonly counted: boolean
  /** Whether the loop ends, or does not even begin, when its first carry, an i32 scalar, is 0. */
  readonly conditional: boolean
}

/** What an operation computes, in the closed set of kernel classes. */
export type Meaning<P> =
  /**
   * One output; `at` is its element at an index. A *map* may be melted into its readers. A *reduce* combines many elements and
   * is never computed twice. A *contraction* is a sum of products that reads each element many times: operands are stored first.
   */
  | { readonly kind: "map" | "reduce" | "contraction"; readonly at: Element<P, Expr> }
  /** A copy of operand `target`, to which `value` is added at `to`, turn by turn over `loop` in row-major order. */
  | {
      readonly kind: "scatter"
      readonly target: number
      loop(avals: readonly Aval[], p: P): Shape
      readonly at: Element<P, { readonly to: readonly Index[]; readonly bounds: readonly Bound[]; readonly value: Expr }>
    }
  /** The program in `body`. */
  | { readonly kind: "call" }
  /** A program run again and again, as `loop` says. */
  | { readonly kind: "loop"; loop(p: P): Loop }

/** What an application in a graph (graph/graph.ts) is to its primitive. */
export interface Application<P> {
  readonly args: readonly unknown[]
  readonly params: P
  readonly outs: readonly unknown[]
}

/**
 * Everything the system knows about one operation, in one record.
 * A transform reads a field; there is no table, so there is nothing to register.
 */
export interface Primitive<P = any> {
  readonly name: string
  /** Output avals. Throws ShapeError and DtypeError. */
  shape(ins: readonly Aval[], p: P): readonly Aval[]
  readonly meaning: Meaning<P>
  /** Outputs and their tangents; at least one of `ts` is not null. */
  jvp(xs: readonly Tensor[], ts: readonly Maybe[], p: P): readonly [readonly Tensor[], readonly Maybe[]]
  /** Like jvp when tangents come later: what both halves need is computed once and kept. Default: jvp on recorded tangents. */
  linearize?(
    xs: readonly Tensor[],
    which: readonly boolean[],
    p: P,
  ): readonly [readonly Tensor[], (ts: readonly Maybe[]) => readonly Maybe[]]
  /** Cotangents of the linear operands; entries of known operands are ignored. At least one of `cts` is not null. */
  transpose(cts: readonly Maybe[], operands: readonly Operand[], p: P): readonly Maybe[]
  /** Outputs over `n` examples and where their batch axes are; at least one of `axes` is not null. */
  batch(xs: readonly Tensor[], axes: readonly Axis[], p: P, n: number): readonly [readonly Tensor[], readonly Axis[]]
  /**
   * The only output, summed over axis 0 of the operands, which all have it in front: what `batch` and a sum over it would give, but
   * without the terms. Worth having where terms are dearer than their operands: products of matrices.
   */
  readonly total?: ((xs: readonly Tensor[], p: P) => Tensor) | undefined
  /** An application of which only the outputs `used` are read, with less to do. */
  narrow?<A extends Application<P>>(n: A, used: readonly boolean[]): A
  /** The program a node stands for, which the pass `inline` puts in the node's place, and the name it leaves in the scope. */
  body?(p: P): { readonly graph: Program; readonly name: string }
  /** Runs the operation on a number that only the call knows, as an input of the program: in eager code literals come and go. */
  literal?(p: P): Tensor
}
