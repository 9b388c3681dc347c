// What users differentiate with: forward mode, reverse mode, and gradients.
import { type Aval, differentiable, same, sameShape, show, tangentOf } from "../core/aval.ts"
import type { Maybe } from "../core/primitive.ts"
import { scope, type Tensor } from "../core/tensor.ts"
import { flatten, leaves, paths, rebuild, type Tree, wantFunction } from "../core/tree.ts"
import { scopeOf } from "../graph/graph.ts"
import { replay } from "../graph/record.ts"
import { fullLike, zeros } from "../primitives/base.ts"
import { cast } from "../primitives/elementwise.ts"
import { jvpFlat, scatter } from "./jvp.ts"
import { type Linearized, linearizeFlat } from "./linearize.ts"
import { transpose } from "./transpose.ts"

export type Fn<A extends readonly any[] = any[], R = any> = (...args: A) => R

/** Tangents or cotangents for `like`; throws where a leaf does not fit. Integers have none, numbers take the dtype. */
function fitting(call: string, given: readonly Tensor[], like: readonly { aval: Aval }[]): (Tensor | null)[] {
  const fits = (t: Tensor, { aval }: { aval: Aval }): boolean =>
    !differentiable(aval) || (t.aval.weak ? sameShape(t.shape, aval.shape) : same(t.aval, aval))
  const wanted = like.map(x => ({ aval: tangentOf(x.aval) }))
  if (given.length !== like.length || !given.every((t, i) => fits(t, wanted[i]!)))
    throw new TypeError(
      `${call} must be like ${wanted.map(x => show(x.aval)).join(", ") || "nothing"}; got ${given.map(t => show(t.aval)).join(", ") || "nothing"}`,
    )
  return given.map((t, i) => {
    const { aval } = wanted[i]!
    if (!differentiable(aval)) return null
    return t.aval.weak && !aval.weak ? cast(t, aval.dtype) : t
  })
}

/**
 * Value and directional derivative (forward mode): `[f(xs), df(xs) · ts]`, in one pass.
 *
 * `tangents` are trees like `primals`; integer leaves take no part. Throws TypeError where they do not fit.
 *
 * @example
 * jvp(x => x.mul(x), [tensor(3)], [tensor(1)])  // [9, 6]
 */
export function jvp<A extends readonly any[], R>(f: Fn<A, R>, primals: A, tangents: A): [R, R] {
  wantFunction("jvp", f)
  if (!Array.isArray(primals) || !Array.isArray(tangents))
    throw new TypeError("jvp: primals and tangents are lists with an entry for each argument, as in jvp(f, [x], [t])")
  const { flat, result } = flatten(f as (...args: any[]) => Tree, primals as readonly Tree[])
  const xs = leaves(primals as readonly Tree[])
  const [ys, dys] = jvpFlat(flat, xs, fitting("jvp: tangents", leaves(tangents as readonly Tree[]), xs))
  return [result(ys), result(dys.map((t, i) => t ?? zeros(tangentOf(ys[i]!.aval))))]
}

function linearizeAt(
  f: Fn,
  args: readonly unknown[],
): Linearized & { xs: Tensor[]; which: boolean[]; result: (ys: readonly unknown[]) => any } {
  const { flat, result } = flatten(f as (...args: any[]) => Tree, args as readonly Tree[])
  const xs = leaves(args as readonly Tree[])
  const which = xs.map(x => differentiable(x.aval))
  return { ...linearizeFlat(flat, xs, which), xs, which, result }
}

/**
 * Value of `f`, and its derivative there as a linear function of tangents: `[f(xs), ts => df(xs) · ts]`.
 * What depends on the arguments alone is computed once, however often the function is called.
 *
 * @example
 * const [y, push] = linearize(x => x.sin(), tensor(0))
 * push(tensor(2))  // 2
 */
export function linearize<A extends readonly any[], R>(f: Fn<A, R>, ...args: A): [R, (...tangents: A) => R] {
  wantFunction("linearize", f)
  const { ys, linear, residuals, tangents, xs, which, result } = linearizeAt(f, args)
  const push = (...given: A): R => {
    const ts = fitting("linearize: tangents", leaves(given as readonly Tree[]), xs).filter((_, i) => which[i]) as Tensor[]
    const dys = scatter(tangents, replay(linear, [...ts, ...residuals]))
    return result(dys.map((t, i) => t ?? zeros(tangentOf(ys[i]!.aval))))
  }
  return [result(ys), push]
}

interface Pullback<A, R> {
  readonly value: R
  readonly ys: readonly Tensor[]
  /** Which of them depend on the arguments. */
  readonly depends: readonly boolean[]
  /** Cotangents of the leaves of the value -> of the arguments. */
  pull(cts: readonly Maybe[]): A
  /** Where in the program the value is computed. */
  readonly scope: readonly string[]
}
function pullback<A extends readonly any[], R>(f: Fn<A, R>, args: A): Pullback<A, R> {
  const { ys, linear, residuals, tangents, xs, which, result } = linearizeAt(f, args)
  const known = [...which.filter(Boolean).map(() => null), ...residuals]
  const pull = (cts: readonly Maybe[]): A => {
    const back = transpose(
      linear,
      known,
      cts.filter((_, i) => tangents[i]),
    )
    let next = 0
    return rebuild(
      args as readonly Tree[],
      xs.map((x, i) => (which[i] && back[next++]) || zeros(tangentOf(x.aval))),
    )
  }
  const last = linear.nodes.at(-1)
  return { value: result(ys), ys, depends: tangents, pull, scope: last ? scopeOf(last) : [] }
}

/**
 * Value of `f`, and the function from a cotangent (a tree like the value) to the cotangents of the arguments: reverse mode.
 * `[f(xs), ct => ct · df(xs)]`.
 *
 * @example
 * const [y, pull] = vjp((w: Tensor, x: Tensor) => w.mul(x), tensor([1, 2]), tensor(3))
 * const [dw, dx] = pull(tensor([1, 1]))  // [3, 3], 3
 */
export function vjp<A extends readonly any[], R>(f: Fn<A, R>, ...args: A): [R, (ct: R) => A] {
  wantFunction("vjp", f)
  const { value, ys, pull } = pullback(f, args)
  return [value, ct => pull(fitting("vjp: the cotangent", leaves(ct as Tree), ys))]
}

export interface GradOptions {
  /** Which argument to differentiate; any tree of floating-point tensors. Default: 0. */
  readonly argnums?: number
  /** The function returns `[loss, aux]`; aux (any tree) is handed on beside the gradient. */
  readonly hasAux?: boolean
}

/**
 * Value and gradient of a scalar function in one forward and one backward pass.
 *
 * Throws TypeError if the value is not a floating-point scalar or if the argument holds anything but floating-point tensors.
 * With `hasAux` the function returns `[loss, aux]` and the result is `[[loss, aux], gradient]`.
 *
 * @example
 * const [loss, g] = valueAndGrad((w: Tensor) => w.mul(w).sum())(tensor([1, 2]))  // 5, [2, 4]
 */
export function valueAndGrad<A extends readonly any[], R>(
  f: Fn<A, R>,
  { argnums = 0, hasAux = false }: GradOptions = {},
): (...args: A) => [R, any] {
  wantFunction("grad", f)
  return (...args) => {
    if (!(argnums in args))
      throw new TypeError(`grad: there is no argument ${argnums} (counted from 0); the function was called with ${args.length}`)
    const target = args[argnums] as Tree
    const odd = leaves(target).findIndex(x => !differentiable(x.aval))
    if (odd >= 0)
      throw new TypeError(
        `grad: argument ${argnums} must hold floating-point tensors; ${paths(target)[odd] || "it"} is ${show(leaves(target)[odd]!.aval)}. ` +
          "Convert it with cast, or differentiate another argument with { argnums }",
      )
    const { value, ys, depends, pull, scope: at } = pullback((x: Tree) => f(...(args.with(argnums, x) as unknown as A)), [target])
    const loss: Tree = hasAux ? (value as [Tree, Tree])[0] : (value as Tree)
    const [y, ...more] = leaves(loss)
    if (!y || more.length || y.ndim || !differentiable(y.aval))
      throw new TypeError(
        `grad: the function must return a floating-point scalar; it returned ${
          leaves(loss)
            .map(x => show(x.aval))
            .join(", ") || "nothing"
        }. ` + "Reduce it with sum or mean, return [loss, aux] with { hasAux: true }, or use jacrev",
      )
    // what JavaScript's operators make of a tensor is a number without a history: its gradient would be a silent 0
    if (y.aval.weak && !depends[0])
      throw new TypeError(
        `grad: the function returned the plain number ${y.item()}, which has lost its way back to the arguments. ` +
          "Compute with methods and functions, x.mul(2), instead of operators, x * 2, and item()",
      )
    const one = scope([...at, "backward"], () => fullLike(tangentOf(y.aval), 1))
    return [value, pull([one, ...ys.slice(1).map(() => null)])[0]]
  }
}

/**
 * The gradient of a scalar function by its first argument (or `argnums`): a tree like that argument.
 *
 * @example
 * grad((x: Tensor) => x.mul(x).sin().sum())(tensor([1, 2, 3]))  // [1.081, -2.615, -5.467]
 */
export function grad<A extends readonly any[], R>(f: Fn<A, R>, options: GradOptions = {}): (...args: A) => any {
  const both = valueAndGrad(f, options)
  return (...args) => {
    const [value, g] = both(...args)
    return options.hasAux ? [g, (value as [unknown, unknown])[1]] : g
  }
}
