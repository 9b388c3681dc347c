import type { Aval } from "../core/aval.ts"
import type { Element, Maybe, Operand, Primitive } from "../core/primitive.ts"
import { bind, bind1, Tensor } from "../core/tensor.ts"
import type { Expr } from "../ir/expr.ts"
import { addMaybe, spread, toFront } from "./base.ts"

/** The short form of a primitive with one output. */
export interface Short<P> {
  readonly name: string
  shape(ins: readonly Aval[], p: P): Aval
  readonly kind?: "map" | "reduce" | "contraction"
  readonly at: Element<P, Expr>
  /**
   * push[i]: the output tangent caused by tangent `t` of operand i; `null` where the derivative is zero everywhere it exists.
   * Multiply the tangent first and prefer the output `y`, which the backward pass has at hand.
   */
  readonly push: readonly (((t: Tensor, xs: readonly Tensor[], y: Tensor, p: P) => Tensor) | null)[]
  /** pull[i]: the cotangent of operand i, where the operation is linear in it (missing or null: it is not). */
  readonly pull?: readonly (((ct: Tensor, xs: readonly Operand[], p: P) => Tensor) | null)[]
  /** The output, batch axis in front. Operands have it in front too, where `mapped`. Default: the same with that axis on all of them. */
  batch?(xs: readonly Tensor[], mapped: readonly boolean[], p: P, n: number): Tensor
  readonly total?: Primitive<P>["total"]
}

/** Turns the short form into the joint one. */
export function definePrimitive<P = null>(s: Short<P>): Primitive<P> {
  const self: Primitive<P> = {
    name: s.name,
    shape: (ins, p) => [s.shape(ins, p)],
    meaning: { kind: s.kind ?? "map", at: s.at },
    jvp(xs, ts, p) {
      const y = bind1(self, xs, p)
      let dy: Maybe = null
      ts.forEach((t, i) => {
        if (t) dy = addMaybe(dy, s.push[i]?.(t, xs, y, p) ?? null)
      })
      return [[y], [dy]]
    },
    transpose([ct], xs, p) {
      return xs.map((x, i) => {
        if (x instanceof Tensor) return null
        const pull = s.pull?.[i]
        if (!pull) throw new Error(`transpose: ${s.name} is not linear in operand ${i}`)
        return pull(ct!, xs, p)
      })
    },
    batch(xs, axes, p, n) {
      const front = xs.map((x, i) => toFront(x, axes[i]!))
      const mapped = axes.map(a => a !== null)
      if (s.batch) return [[s.batch(front, mapped, p, n)], [0]]
      return [
        bind(
          self,
          front.map((x, i) => spread(x, mapped[i]!, n)),
          p,
        ),
        [0],
      ]
    },
    total: s.total,
  }
  return self
}
