// Gradients as people return them: tensors, nested arrays and typed arrays, one for each argument.
import type { Shape } from "../../core/aval.ts"
import { isFloating } from "../../core/dtype.ts"
import { Tensor } from "../../core/tensor.ts"

/** The numbers that someone gives for one leaf; null where there are none. */
export interface Given {
  readonly values: Float64Array
  readonly shape: Shape
  /** Whether they can be held to f64 only as far as f32 goes. */
  readonly single: boolean
}

/**
 * The leaves of what a backward function returned, in the order of the inputs' leaves.
 *
 * Throws TypeError where it is no list with one entry for each argument, or holds anything but numbers.
 */
export function givenFor(result: unknown, inputs: readonly unknown[], names: readonly string[]): (Given | null)[] {
  const out: (Given | null)[] = []
  const one = inputs.length === 1 && !(Array.isArray(result) && result.length === 1)
  const list = one ? [result] : result
  if (!Array.isArray(list) || list.length !== inputs.length)
    throw new TypeError(
      `diagnose: backward must return a list with ${inputs.length} ${inputs.length === 1 ? "entry" : "entries"}, one for each input (null for none); ` +
        `it returned ${Array.isArray(list) ? `${list.length} of them` : result === null ? "null" : typeof result}`,
    )
  const go = (input: unknown, g: unknown): void => {
    if (input instanceof Tensor || typeof input === "number") {
      const isFloat = typeof input === "number" || isFloating(input.dtype)
      out.push(g === null || g === undefined || !isFloat ? null : numbersOf(g, names[out.length]!))
    } else if (input !== null && typeof input === "object")
      for (const key of Object.keys(input)) go((input as any)[key], g === null || g === undefined ? g : (g as any)[key])
  }
  inputs.forEach((input, i) => go(input, list[i]))
  return out
}

function numbersOf(g: unknown, name: string): Given {
  if (g instanceof Tensor) return { values: Float64Array.from(g.values()), shape: g.shape, single: g.dtype !== "f64" }
  if (ArrayBuffer.isView(g) && "length" in g) {
    const values = Float64Array.from(g as unknown as ArrayLike<number>)
    return { values, shape: [values.length], single: !(g instanceof Float64Array) }
  }
  const values: number[] = []
  let single = false
  const shape: number[] = []
  const go = (x: unknown, depth: number): void => {
    if (typeof x === "number") values.push(x)
    else if (x instanceof Tensor || Array.isArray(x) || (ArrayBuffer.isView(x) && "length" in x)) {
      if (x instanceof Float32Array || (x instanceof Tensor && x.dtype !== "f64")) single = true
      const entries = x instanceof Tensor ? [...x.values()] : (x as ArrayLike<unknown>)
      shape[depth] ??= entries.length
      for (let i = 0; i < entries.length; i++) go(entries[i], depth + 1)
    } else throw new TypeError(`diagnose: the gradient by ${name} must hold numbers; it holds ${x === null ? "null" : typeof x}`)
  }
  go(g, 0)
  return { values: Float64Array.from(values), shape, single }
}
