// Sums of products over named axes: everything becomes matrix products of two operands at a time.
import { type Shape, size } from "../core/aval.ts"
import { ShapeError } from "../core/errors.ts"
import type { Tensor } from "../core/tensor.ts"
import * as p from "../primitives/index.ts"
import { promote, wantNumbers, wantOneDtype, wantTensors } from "./align.ts"
import { mul } from "./arithmetic.ts"
import { diagonal } from "./diagonal.ts"

type Labels = readonly string[]
/** A tensor whose axes have names. */
interface Named {
  readonly x: Tensor
  readonly labels: Labels
}
const lengthsOf = (all: readonly Named[]): Map<string, number> => {
  const lengths = new Map<string, number>()
  for (const { x, labels } of all) labels.forEach((l, d) => lengths.set(l, x.shape[d]!))
  return lengths
}

/** Each name once: of axes with one name, only elements with equal places are left. */
function withoutTwins({ x, labels }: Named): Named {
  const twin = labels.findIndex((l, d) => labels.indexOf(l) < d)
  if (twin < 0) return { x, labels }
  const first = labels.indexOf(labels[twin]!)
  return withoutTwins({
    x: diagonal(x, { axis1: first, axis2: twin }),
    labels: [...labels.filter((_, d) => d !== first && d !== twin), labels[twin]!],
  })
}
/** The sum over all axes that are not wanted. */
const narrow = ({ x, labels }: Named, wanted: Labels): Named => ({
  x: p.sum(
    x,
    labels.flatMap((l, d) => (wanted.includes(l) ? [] : [d])),
  ),
  labels: labels.filter(l => wanted.includes(l)),
})
const arrange = ({ x, labels }: Named, to: Labels): Tensor =>
  p.permute(
    x,
    to.map(l => labels.indexOf(l)),
  )

/** The product of two, summed over the axes that both have and that are not `wanted`. */
function pair(a: Named, b: Named, wanted: Labels): Named {
  const both = a.labels.filter(l => b.labels.includes(l))
  const batch = both.filter(l => wanted.includes(l))
  const summed = both.filter(l => !wanted.includes(l))
  const left = a.labels.filter(l => !both.includes(l))
  const right = b.labels.filter(l => !both.includes(l))
  const lengths = lengthsOf([a, b])
  const shape = (labels: Labels): Shape => labels.map(l => lengths.get(l)!)
  const [n, m, k, r] = [batch, left, summed, right].map(l => size(shape(l))) as [number, number, number, number]
  const lead = batch.length ? [n] : []
  const x = p.reshape(arrange(a, [...batch, ...left, ...summed]), [...lead, m, k])
  const y = p.reshape(arrange(b, [...batch, ...summed, ...right]), [...lead, k, r])
  const labels = [...batch, ...left, ...right]
  return { x: p.reshape(summed.length ? p.matmul(x, y) : mul(x, y), shape(labels)), labels }
}

/** The product of all, summed over what is not in `out`: pairs with the fewest multiplications first. */
function contract(operands: readonly Named[], out: Labels): Tensor {
  let rest = operands.map(withoutTwins)
  const needed = (without: readonly Named[]): Labels => [...out, ...rest.filter(o => !without.includes(o)).flatMap(o => o.labels)]
  rest = rest.map(o => narrow(o, needed([o])))
  while (rest.length > 1) {
    const pairs = rest.flatMap((a, i) => rest.slice(i + 1).map(b => [a, b] as const))
    const work = (both: readonly Named[]): number => size([...lengthsOf(both).values()])
    const [a, b] = pairs.reduce((best, next) => (work(next) < work(best) ? next : best))
    const joined = pair(a, b, needed([a, b]))
    rest = [...rest.filter(o => o !== a && o !== b), joined]
  }
  return arrange(rest[0]!, out)
}

/**
 * The sum of products that `spec` names (Einstein's summation): a letter for each axis of each operand, then those of the result;
 * letters that the result does not have are summed over.
 *
 * A letter twice in one operand takes its diagonal. `...` stands for any number of axes, aligned from the last one. Axes of length 1 are
 * repeated. Without `->` the result has the axes of `...` and then, in alphabetical order, the letters that come once. Pairs of operands
 * become matrix products, those with the fewest multiplications first.
 *
 * Throws TypeError where spec and operands do not fit, ShapeError where lengths differ, DtypeError for bool.
 *
 * @example
 * const a = tensor([[1, 2], [3, 4]])
 * einsum("ij,jk->ik", a, a)  // [[7, 10], [15, 22]]
 * einsum("...ii->...i", a)   // [1, 4]
 * einsum("bhqd,bhkd->bhqk", zeros([8, 4, 10, 16]), zeros([8, 4, 12, 16]))  // f32[8,4,10,12]
 */
export function einsum(spec: string, ...operands: readonly Tensor[]): Tensor {
  if (typeof spec !== "string") throw new TypeError(`einsum: the first argument names axes, as in "ij,jk->ik"; got ${typeof spec}`)
  wantTensors("einsum", operands)
  const fail = (what: string): never => {
    throw new TypeError(`einsum: ${what}; got "${spec}"`)
  }
  const [left, right, ...more] = spec.replaceAll(" ", "").split("->") as [string, string?, ...string[]]
  const terms = left.split(",")
  if (more.length || ![...terms, right ?? ""].every(t => /^[A-Za-z]*(\.\.\.)?[A-Za-z]*$/.test(t)))
    fail('names are letters and at most one "..." in each operand, as in "...ij,...jk->...ik"')
  if (terms.length !== operands.length) fail(`spec has ${terms.length} operands, the call ${operands.length}`)
  const xs = promote("einsum", operands)
  for (const x of xs) wantNumbers("einsum", x)
  wantOneDtype("einsum", xs)

  /** Names of the axes of "...": their places from the end. */
  const dots = (n: number): Labels => Array.from({ length: n }, (_, i) => `${n - i}`)
  const expand = (t: string, n: number): Labels => t.split(/(\.\.\.)/).flatMap(part => (part === "..." ? dots(n) : [...part]))
  const named = terms.map((t, i): Named => {
    const x = xs[i]!
    const free = x.ndim - t.replace("...", "").length
    if (free < 0 || (free > 0 && !t.includes("...")))
      throw new ShapeError("einsum", `"${t}" must name each axis of operand ${i}, or leave them to "..."`, [x.aval])
    return { x, labels: expand(t, free) }
  })
  const letters = named.flatMap(o => o.labels)
  const most = letters.reduce((n, l) => Math.max(n, Number(l) || 0), 0)
  const once = letters.filter(l => /[A-Za-z]/.test(l) && letters.indexOf(l) === letters.lastIndexOf(l)).sort()
  const out = right === undefined ? [...dots(most), ...once] : expand(right, most)
  const odd = out.find((l, i) => !letters.includes(l) || out.indexOf(l) < i)
  if (odd) fail(`"${odd}" must come once in the result, and in an operand`)
  if (right !== undefined && most > 0 && !right.includes("...")) fail('the result must have the "..." of the operands')

  const lengths = new Map<string, number>()
  for (const { x, labels } of named)
    labels.forEach((l, d) => {
      const [n, known] = [x.shape[d]!, lengths.get(l) ?? 1]
      if (known !== 1 && n !== 1 && n !== known)
        throw new ShapeError("einsum", `"${l}" has lengths ${known} and ${n} in "${spec}"`, xs.map(x => x.aval)) // biome-ignore format: short
      lengths.set(l, known === 1 ? n : known)
    })
  // an axis of length 1 is not there where others are longer
  const present = named.map(({ x, labels }): Named => {
    const stays = labels.map((l, d) => x.shape[d] === lengths.get(l))
    return {
      x: p.reshape(x, x.shape.filter((_, d) => stays[d])), // biome-ignore format: short
      labels: labels.filter((_, d) => stays[d]),
    }
  })
  return contract(present, out)
}

/**
 * Products of elements of `x` and `y`, summed over pairs of axes: the last `axes` ones of x with the first ones of y, or as listed,
 * `[axes of x, axes of y]`. The result has the other axes of x, then those of y.
 *
 * @example
 * tensordot(tensor([[1, 2], [3, 4]]), tensor([[1, 10]]), [[0], [1]])  // [[31], [42]]
 */
export function tensordot(x: Tensor, y: Tensor, axes: number | readonly [readonly number[], readonly number[]] = 2): Tensor {
  wantTensors("tensordot", [x, y])
  const [a, b] = promote("tensordot", [x, y]) as [Tensor, Tensor]
  for (const t of [a, b]) wantNumbers("tensordot", t)
  wantOneDtype("tensordot", [a, b])
  const isList = (list: unknown): boolean => Array.isArray(list) && list.every(Number.isInteger)
  if (typeof axes === "number" ? !(Number.isInteger(axes) && axes >= 0) : !(axes.length === 2 && axes.every(isList)))
    throw new TypeError(`tensordot: axes is how many, or [axes of x, axes of y] as in [[0], [1]]; got ${JSON.stringify(axes)}`)
  const listed =
    typeof axes === "number" ? [p.allAxes(a).slice(Math.max(0, a.ndim - axes)), Array.from({ length: axes }, (_, d) => d)] : axes
  const [left, right] = listed.map((list, i) => list.map(d => (d < 0 ? d + [a, b][i]!.ndim : d))) as [number[], number[]]
  const fits = left.length === right.length && left.every((d, i) => a.shape[d] !== undefined && a.shape[d] === b.shape[right[i]!])
  if (!fits || new Set(left).size < left.length || new Set(right).size < right.length)
    throw new ShapeError("tensordot", `axes ${JSON.stringify(axes)} must pair axes of equal lengths, each once`, [a.aval, b.aval])
  const first = a.shape.map((_, d) => `x${d}`)
  const second = b.shape.map((_, d) => (right.includes(d) ? first[left[right.indexOf(d)]!]! : `y${d}`))
  const out = [...first.filter((_, d) => !left.includes(d)), ...second.filter((_, d) => !right.includes(d))]
  return contract([{ x: a, labels: first }, { x: b, labels: second }], out) // biome-ignore format: short
}
/**
 * Each element of `x` times each of `y`: [elements of x, elements of y].
 *
 * @example
 * outer(tensor([1, 2]), tensor([3, 4]))  // [[3, 4], [6, 8]]
 */
export function outer(x: Tensor, y: Tensor): Tensor {
  wantTensors("outer", [x, y])
  return mul(p.reshape(x, [x.size, 1]), p.reshape(y, [1, y.size]))
}
/**
 * The Kronecker product: `y` times each element of `x`, put together as the elements of x are. Missing axes have length 1.
 *
 * @example
 * kron(tensor([1, 10]), tensor([1, 2]))  // [1, 2, 10, 20]
 */
export function kron(x: Tensor, y: Tensor): Tensor {
  wantTensors("kron", [x, y])
  const rank = Math.max(x.ndim, y.ndim)
  const full = (t: Tensor): number[] => [...Array<number>(rank - t.ndim).fill(1), ...t.shape]
  const [a, b] = [full(x), full(y)]
  const spread = mul(p.reshape(x, a.flatMap(n => [n, 1])), p.reshape(y, b.flatMap(n => [1, n]))) // biome-ignore format: short
  return p.reshape(spread, a.map((n, d) => n * b[d]!)) // biome-ignore format: short
}
