import { type Aval, differentiable, show, size, tangentOf } from "../core/aval.ts"
import type { Tensor } from "../core/tensor.ts"
import { wantFunction } from "../core/tree.ts"
import { broadcast, iota, permute } from "../primitives/base.ts"
import { cast, eq } from "../primitives/elementwise.ts"
import { reshape } from "../primitives/structure.ts"
import { type Fn, grad, jvp, vjp } from "./grad.ts"
import { vmap } from "./vmap.ts"

/** The unit vectors of the space of `a`: [size, ...shape]. */
function basis(a: Aval): Tensor {
  const n = size(a.shape)
  const i = iota(n)
  const identity = eq(broadcast(i, [n, n], [1]), broadcast(i, [n, n], [0]))
  return reshape(cast(identity, tangentOf(a).dtype), [n, ...a.shape])
}
function wantTensor(call: string, x: unknown): asserts x is Tensor {
  const aval = (x as Partial<Tensor> | undefined)?.aval
  if (!aval || !differentiable(aval))
    throw new TypeError(`${call}: wants a floating-point tensor as first argument and as result; got ${aval ? show(aval) : typeof x}`)
}

/**
 * The Jacobian by forward mode, a column for each input: [...shape of f(x), ...shape of x]. Cheap where inputs are few.
 * Differentiates by the first argument.
 *
 * @example
 * jacfwd((x: Tensor) => x.mul(x))(tensor([1, 2]))  // [[2, 0], [0, 4]]
 */
export const jacfwd = <A extends readonly any[]>(f: Fn<A, Tensor>): ((...args: A) => Tensor) => forward("jacfwd", f)
function forward<A extends readonly any[]>(call: string, f: Fn<A, Tensor>): (...args: A) => Tensor {
  wantFunction(call, f)
  return (...args) => {
    const [x, ...rest] = args as unknown as [Tensor, ...unknown[]]
    wantTensor(call, x)
    // `jvp` and not `linearize`, which records for reverse mode too: loops with a condition have tangents alone
    const push = (v: Tensor): Tensor => {
      const [y, along] = jvp((x: Tensor) => f(...([x, ...rest] as unknown as A)), [x], [v]) as readonly Tensor[]
      wantTensor(call, y)
      return along!
    }
    const columns = vmap(push)(basis(x.aval))
    const d = columns.shape.map((_, i) => i)
    return reshape(permute(columns, [...d.slice(1), 0]), [...columns.shape.slice(1), ...x.shape])
  }
}

/**
 * The Jacobian by reverse mode, a row for each output: [...shape of f(x), ...shape of x]. Cheap where outputs are few.
 * Differentiates by the first argument.
 *
 * @example
 * jacrev((x: Tensor) => x.mul(x))(tensor([1, 2]))  // [[2, 0], [0, 4]]
 */
export function jacrev<A extends readonly any[]>(f: Fn<A, Tensor>): (...args: A) => Tensor {
  wantFunction("jacrev", f)
  return (...args) => {
    const [x, ...rest] = args as unknown as [Tensor, ...unknown[]]
    wantTensor("jacrev", x)
    const [y, pull] = vjp((x: Tensor) => f(...([x, ...rest] as unknown as A)), x)
    wantTensor("jacrev", y)
    return reshape(vmap((ct: Tensor) => pull(ct)[0])(basis(y.aval)), [...y.shape, ...x.shape])
  }
}

/**
 * All second derivatives of a scalar function, forward over reverse: [...shape of x, ...shape of x].
 *
 * @example
 * hessian((x: Tensor) => x.mul(x).mul(x).sum())(tensor([1, 2]))  // [[6, 0], [0, 12]]
 */
export const hessian = <A extends readonly any[]>(f: Fn<A, Tensor>): ((...args: A) => Tensor) =>
  forward("hessian", grad(f) as Fn<A, Tensor>)

/**
 * The Hessian of a scalar function times a vector, without the Hessian: the derivative of the gradient along `v`,
 * a tree like the first argument. Costs about two gradients.
 *
 * @example
 * hvp((x: Tensor) => x.mul(x).mul(x).sum(), [tensor([1, 2])], tensor([1, 0]))  // [6, 0]
 */
export function hvp<A extends readonly any[], R>(f: Fn<A, R>, args: A, v: A[0]): any {
  if (!Array.isArray(args)) throw new TypeError("hvp: the second argument is a list of the arguments of f, as in hvp(f, [x], v)")
  return jvp((x: any) => grad(f)(...([x, ...args.slice(1)] as unknown as A)), [args[0]], [v])[1]
}
