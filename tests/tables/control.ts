// Control functions beside the same computation without them.
import * as a from "../../src/index.ts"

type Fn = (...xs: a.Tensor[]) => a.Tensor
export interface Line {
  readonly f: Fn
  /** The same without the control function. */
  readonly plain: Fn
  readonly args: readonly (readonly a.Tensor[])[]
  /** Without reverse mode: only values and forward mode are checked. */
  readonly forwardOnly?: true
}

const f64 = (values: readonly number[], shape: readonly number[]): a.Tensor => a.tensor(Float64Array.from(values), { shape: [...shape] })
let drawn = 0
const x = (shape: readonly number[], low = -2, high = 2): a.Tensor =>
  f64(
    Array.from({ length: shape.reduce((n, d) => n * d, 1) }, () => low + (high - low) * ((++drawn * 0.6180339887498949) % 1)),
    shape,
  )
const SHAPES = [[], [1], [3], [0], [2, 3], [2, 0, 3], [1, 4], [2, 1, 2], [5], [3, 1], [2, 2], [1, 1, 1]]
const each = (...ranges: readonly (readonly [number, number])[]): a.Tensor[][] =>
  SHAPES.map(shape => ranges.map(([low, high]) => x(shape, low, high)))
const { add, cos, div, exp, grad, less, mul, neg, sin, sub, sum, tanh } = a
const wavy = (x: a.Tensor): a.Tensor => mul(sin(mul(x, 1.5)), x)

/** x = cos(a x) / 8 by many turns. */
const relaxed = (p: a.Tensor): a.Tensor => {
  let x = a.zerosLike(p)
  for (let i = 0; i < 18; i++) x = div(cos(mul(p, x)), 8)
  return x
}
/** x^3 + x = p by Newton's method. */
const solved = (p: a.Tensor): a.Tensor => {
  let x = mul(p, 0.5)
  for (let i = 0; i < 12; i++) x = sub(x, div(sub(add(a.pow(x, 3), x), p), add(mul(a.square(x), 3), 1)))
  return x
}
const branch = (x: a.Tensor): a.Tensor => (sum(x).item() < 0.3 ? sin(x) : mul(x, x))
const rows = [[1], [3], [0], [2, 2], [4], [2, 1], [3, 2], [1, 3], [5], [2, 0], [2, 2, 2], [6]]
/** h <- tanh(w h + x) over the rows of x. */
const step = (w: a.Tensor) => (h: a.Tensor, x: a.Tensor) => {
  const next = tanh(add(mul(w, h), x))
  return [next, sin(next)] as const
}
const tight = { tolerance: 1e-15, maxTurns: 30 }

export const control: Readonly<Record<string, Line>> = {
  composite: { f: a.composite("wavy", {}, wavy), plain: wavy, args: each([-2, 2]) },
  checkpoint: { f: a.checkpoint(wavy) as Fn, plain: wavy, args: each([-2, 2]) },
  cond: {
    f: x => a.cond(less(sum(x), 0.3), sin, (x: a.Tensor) => mul(x, x), x),
    plain: branch,
    args: each([-2, 2]),
  },
  customVjp: {
    f: a.customVjp(
      (x: a.Tensor, y: a.Tensor) => mul(exp(x), y),
      (x: a.Tensor, y: a.Tensor) => [mul(exp(x), y), { x, y }] as const,
      ({ x, y }, ct: a.Tensor) => [mul(ct, mul(exp(x), y)), mul(ct, exp(x))],
    ),
    plain: (x, y) => mul(exp(x!), y!),
    args: each([-2, 2], [-2, 2]),
  },
  customJvp: {
    f: a.customJvp(wavy, (([x]: readonly a.Tensor[], [t]: readonly a.Tensor[]) => [
      wavy(x!),
      mul(t!, add(mul(mul(cos(mul(x!, 1.5)), 1.5), x!), sin(mul(x!, 1.5)))),
    ]) as never) as Fn,
    plain: wavy,
    args: each([-2, 2]),
  },
  scan: {
    f: (w, xs) => {
      const [h, ys] = a.scan(step(w!), a.zerosLike(w!), xs!)
      return add(h, sum(ys as a.Tensor, { axis: 0 }))
    },
    plain: (w, xs) => {
      let h: a.Tensor = a.zerosLike(w!)
      let total: a.Tensor = a.zerosLike(w!)
      for (let i = 0; i < xs!.shape[0]!; i++) {
        const [next, y] = step(w!)(h, a.at(xs!, i))
        ;[h, total] = [next, add(total, y)]
      }
      return add(h, total)
    },
    args: rows.map(shape => [x(shape.slice(1), 0.2, 0.9), x(shape)]),
  },
  whileLoop: {
    f: x =>
      a.whileLoop(
        (s: any) => less(s.i, 4),
        (s: any) => ({ i: add(s.i, 1), x: sin(mul(s.x, 1.1)) }),
        { i: a.tensor(0, { dtype: "i32" }), x: x! },
      ).x as a.Tensor,
    plain: x => [1, 2, 3, 4].reduce(x => sin(mul(x, 1.1)), x!),
    args: each([-2, 2]),
    forwardOnly: true,
  },
  fixedPoint: {
    f: p => a.fixedPoint((x: a.Tensor) => div(cos(mul(p!, x)), 8), a.zerosLike(p!), tight) as a.Tensor,
    plain: p => relaxed(p!),
    args: each([-1, 1]),
  },
  root: {
    f: p => a.root((x: a.Tensor) => sub(add(a.pow(x, 3), x), p!), mul(a.stopGradient(p!), 0.5), tight) as a.Tensor,
    plain: p => solved(p!),
    args: each([-2, 2]),
  },
  treeMap: {
    f: (x, y) => a.treeMap((x, y) => mul(x, sin(y)), { x: x! }, { x: y! }).x,
    plain: (x, y) => mul(x!, sin(y!)),
    args: each([-2, 2], [-2, 2]),
  },
  scope: { f: x => a.scope("here", () => wavy(x!)), plain: wavy, args: each([-2, 2]) },
  jit: { f: a.jit(wavy), plain: wavy, args: each([-2, 2]) },
  vmap: {
    f: x => a.vmap(wavy)(x!),
    plain: wavy,
    args: rows.map(shape => [x(shape)]),
  },
  grad: {
    f: x => grad((x: a.Tensor) => sum(mul(wavy(x), neg(x))))(x!),
    plain: x => neg(mul(x!, add(mul(2, sin(mul(x!, 1.5))), mul(mul(x!, 1.5), cos(mul(x!, 1.5)))))),
    args: each([-2, 2]),
  },
}
