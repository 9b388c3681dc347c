// Problems of least squares from Moré, Garbow and Hillstrom, Testing unconstrained optimization software (1981), by the numbers that they have
// there: residuals, the standard start, and sums of squares at the minima that are known.
import { atan, concat, cos, cumsum, exp, matmul, ones, pow, prod, sin, stack, sum, type Tensor, tensor, where } from "../src/index.ts"

export interface Problem {
  readonly name: string
  readonly start: readonly number[]
  readonly residuals: (x: Tensor) => Tensor
  /** Sums of squares: the least one first, then those of other minima, also of such that lie at infinity. */
  readonly minima: readonly number[]
}

const f64 = (x: number | readonly number[]): Tensor => tensor(x as number[], { dtype: "f64" })
const list = (n: number, f: (i: number) => number): Tensor => f64(Array.from({ length: n }, (_, i) => f(i + 1)))
const same = (n: number, value: number): number[] => Array.from({ length: n }, () => value)
const counted = (n: number, f: (i: number) => number): number[] => Array.from({ length: n }, (_, i) => f(i + 1))
/** A problem whose residuals are written number by number. */
const scalars =
  (f: (...x: Tensor[]) => readonly Tensor[]) =>
  (x: Tensor): Tensor =>
    stack(f(...x))
/** exp(-a t) */
const decay = (a: Tensor | number, t: Tensor): Tensor => exp(t.mul(a).neg())

const bard = [0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.1, 4.39]
const half = [0.0009, 0.0044, 0.0175, 0.054, 0.1295, 0.242, 0.3521]
const meyer = [34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872]
const kowalik = [0.1957, 0.1947, 0.1735, 0.16, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246]
const osborne1 = [
  0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.85, 0.818, 0.784, 0.751, 0.718, 0.685, 0.658, 0.628, 0.603, 0.58, 0.558, 0.538, 0.522,
  0.506, 0.49, 0.478, 0.467, 0.457, 0.448, 0.438, 0.431, 0.424, 0.42, 0.414, 0.411, 0.406,
] // biome-ignore format: a table
const osborne2 = [
  1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746, 0.679, 0.608, 0.655, 0.616, 0.606, 0.602, 0.626, 0.651, 0.724,
  0.649, 0.649, 0.694, 0.644, 0.624, 0.661, 0.612, 0.558, 0.533, 0.495, 0.5, 0.423, 0.395, 0.375, 0.372, 0.391, 0.396, 0.405, 0.428, 0.429,
  0.523, 0.562, 0.607, 0.653, 0.672, 0.708, 0.633, 0.668, 0.645, 0.632, 0.591, 0.559, 0.597, 0.625, 0.739, 0.71, 0.729, 0.72, 0.636, 0.581,
  0.428, 0.292, 0.162, 0.098, 0.054,
] // biome-ignore format: a table

const u = f64([4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625])
const i15 = list(15, i => i)
const v15 = i15.neg().add(16)
const w15 = list(15, i => Math.min(i, 16 - i))
const t10 = list(10, i => i / 10)
const t13 = list(13, i => i / 10)
const t20 = list(20, i => i / 5)
const gulf = list(99, i => i / 100)
const gulfY = list(99, i => 25 + (-50 * Math.log(i / 100)) ** (2 / 3))
const t33 = list(33, i => 10 * (i - 1))
const t65 = list(65, i => (i - 1) / 10)

/** sum (j - 1) x_j t^(j - 2) - (sum x_j t^(j - 1))^2 - 1 at t = 1/29, ..., 1, and two more. */
function watson(x: Tensor): Tensor {
  const n = x.size
  const rows = (f: (t: number, j: number) => number): Tensor =>
    f64(Array.from({ length: 29 }, (_, i) => counted(n, j => f((i + 1) / 29, j))) as never)
  const slope = matmul(
    rows((t, j) => (j - 1) * t ** Math.max(0, j - 2)),
    x,
  )
  const value = matmul(
    rows((t, j) => t ** (j - 1)),
    x,
  )
  const [first, second] = [x.at(0), x.at(1)]
  return concat([slope.sub(value.square()).sub(1), stack([first, second.sub(first.square()).sub(1)])])
}
/** Means of Chebyshev's polynomials of degree 1 to n, of [0, 1], less their integrals. */
function chebyquad(x: Tensor): Tensor {
  const z = x.mul(2).sub(1)
  const all = [x.mul(0).add(1), z]
  for (let i = 2; i <= x.size; i++)
    all.push(
      z
        .mul(2)
        .mul(all[i - 1]!)
        .sub(all[i - 2]!),
    )
  return stack(
    all.slice(1).map((t, k) => {
      const i = k + 1
      return t.mean().sub(i % 2 === 0 ? -1 / (i * i - 1) : 0)
    }),
  )
}
const brownAlmostLinear = (x: Tensor): Tensor => {
  const n = x.size
  return concat([
    x
      .add(sum(x))
      .sub(n + 1)
      .slice([0, n - 1]),
    prod(x).sub(1).reshape(1),
  ])
}
/** x_i with 0 before and behind: [x_(i - by)]. */
const shifted = (x: Tensor, by: 1 | -1): Tensor =>
  by === 1 ? concat([f64([0]), x.slice([0, x.size - 1])]) : concat([x.slice([1, x.size]), f64([0])])
const boundary = (x: Tensor): Tensor => {
  const h = 1 / (x.size + 1)
  const t = list(x.size, i => i * h)
  const cube = pow(x.add(t).add(1), 3)
  return x
    .mul(2)
    .sub(shifted(x, 1))
    .sub(shifted(x, -1))
    .add(cube.mul((h * h) / 2))
}
const integral = (x: Tensor): Tensor => {
  const n = x.size
  const h = 1 / (n + 1)
  const t = list(n, i => i * h)
  const cube = pow(x.add(t).add(1), 3)
  const before = cumsum(t.mul(cube))
  const rest = t.neg().add(1).mul(cube)
  const behind = sum(rest).sub(cumsum(rest))
  return x.add(
    t
      .neg()
      .add(1)
      .mul(before)
      .add(t.mul(behind))
      .mul(h / 2),
  )
}
const tridiagonal = (x: Tensor): Tensor => x.mul(-2).add(3).mul(x).sub(shifted(x, 1)).sub(shifted(x, -1).mul(2)).add(1)
const banded = (x: Tensor): Tensor => {
  const n = x.size
  const near = Array.from({ length: n }, (_, i) => counted(n, j => Number(j - 1 !== i && j - 1 >= i - 5 && j - 1 <= i + 1)))
  return x
    .mul(x.square().mul(5).add(2))
    .add(1)
    .sub(matmul(f64(near as never), x.mul(x.add(1))))
}

export const problems: readonly Problem[] = [
  {
    name: "1 Rosenbrock",
    start: [-1.2, 1],
    residuals: scalars((a, b) => [b!.sub(a!.square()).mul(10), a!.neg().add(1)]),
    minima: [0],
  },
  {
    name: "2 Freudenstein and Roth",
    start: [0.5, -2],
    residuals: scalars((a, b) => [
      b!.neg().add(5).mul(b!).sub(2).mul(b!).add(a!).sub(13),
      b!.add(1).mul(b!).sub(14).mul(b!).add(a!).sub(29),
    ]),
    minima: [0, 48.9842],
  },
  {
    name: "3 Powell badly scaled",
    start: [0, 1],
    residuals: scalars((a, b) => [a!.mul(b!).mul(1e4).sub(1), exp(a!.neg()).add(exp(b!.neg())).sub(1.0001)]),
    minima: [0],
  },
  {
    name: "4 Brown badly scaled",
    start: [1, 1],
    residuals: scalars((a, b) => [a!.sub(1e6), b!.sub(2e-6), a!.mul(b!).sub(2)]),
    minima: [0],
  },
  {
    name: "5 Beale",
    start: [1, 1],
    residuals: ([a, b]: any) => stack([1.5, 2.25, 2.625].map((y, i) => a.mul(pow(b, i + 1).neg().add(1)).neg().add(y))),
    // the second one at (-infinity, 1)
    minima: [0, 0.452013],
  },
  {
    name: "6 Jennrich and Sampson",
    start: [0.3, 0.4],
    residuals: ([a, b]: any) => {
      const i = list(10, i => i)
      return i.mul(2).add(2).sub(exp(i.mul(a))).sub(exp(i.mul(b)))
    },
    minima: [124.362],
  },
  {
    name: "7 helical valley",
    start: [-1, 0, 0],
    residuals: scalars((a, b, c) => {
      const turn = atan(b!.div(a!)).div(2 * Math.PI)
      const angle = where(a!.less(0), turn.add(0.5), turn)
      return [c!.sub(angle.mul(10)).mul(10), a!.square().add(b!.square()).sqrt().sub(1).mul(10), c!]
    }),
    minima: [0],
  },
  {
    name: "8 Bard",
    start: [1, 1, 1],
    residuals: ([a, b, c]: any) => f64(bard).sub(a).sub(i15.div(v15.mul(b).add(w15.mul(c)))),
    minima: [8.21487e-3, 17.4286],
  },
  {
    name: "9 Gaussian",
    start: [0.4, 1, 0],
    residuals: ([a, b, c]: any) =>
      a.mul(exp(list(15, i => (8 - i) / 2).sub(c).square().mul(b).div(-2))).sub(f64([...half, 0.3989, ...half.toReversed()])),
    minima: [1.12793e-8],
  },
  {
    name: "10 Meyer",
    start: [0.02, 4000, 250],
    residuals: ([a, b, c]: any) => a.mul(exp(b.div(list(16, i => 45 + 5 * i).add(c)))).sub(f64(meyer)),
    minima: [87.9458],
  },
  {
    name: "11 Gulf research and development",
    start: [5, 2.5, 0.15],
    residuals: ([a, b, c]: any) => exp(pow(gulfY.sub(b).abs(), c).div(a).neg()).sub(gulf),
    minima: [0],
  },
  {
    name: "12 box",
    start: [0, 10, 20],
    residuals: ([a, b, c]: any) => decay(a, t10).sub(decay(b, t10)).sub(decay(1, t10).sub(decay(10, t10)).mul(c)),
    // the second one at x2 = infinity
    minima: [0, 7.55887e-2],
  },
  {
    name: "13 Powell singular",
    start: [3, -1, 0, 1],
    residuals: scalars((a, b, c, d) => [
      a!.add(b!.mul(10)),
      c!.sub(d!).mul(Math.sqrt(5)),
      b!.sub(c!.mul(2)).square(),
      a!.sub(d!).square().mul(Math.sqrt(10)),
    ]),
    minima: [0],
  },
  {
    name: "14 Wood",
    start: [-3, -1, -3, -1],
    residuals: scalars((a, b, c, d) => [
      b!.sub(a!.square()).mul(10),
      a!.neg().add(1),
      d!.sub(c!.square()).mul(Math.sqrt(90)),
      c!.neg().add(1),
      b!.add(d!).sub(2).mul(Math.sqrt(10)),
      b!.sub(d!).div(Math.sqrt(10)),
    ]),
    minima: [0],
  },
  {
    name: "15 Kowalik and Osborne",
    start: [0.25, 0.39, 0.415, 0.39],
    residuals: ([a, b, c, d]: any) => f64(kowalik).sub(a.mul(u.square().add(u.mul(b))).div(u.square().add(u.mul(c)).add(d))),
    minima: [3.07505e-4, 1.02734e-3],
  },
  {
    name: "16 Brown and Dennis",
    start: [25, 5, -5, -1],
    residuals: ([a, b, c, d]: any) =>
      t20.mul(b).add(a).sub(exp(t20)).square().add(sin(t20).mul(d).add(c).sub(cos(t20)).square()),
    minima: [85822.2],
  },
  {
    name: "17 Osborne 1",
    start: [0.5, 1.5, -1, 0.01, 0.02],
    residuals: ([a, b, c, d, e]: any) => f64(osborne1).sub(decay(d, t33).mul(b).add(decay(e, t33).mul(c)).add(a)),
    minima: [5.46489e-5],
  },
  {
    name: "18 Biggs, six exponents",
    start: [1, 2, 1, 1, 1, 1],
    residuals: ([a, b, c, d, e, f]: any) => {
      const y = decay(1, t13).sub(decay(10, t13).mul(5)).add(decay(4, t13).mul(3))
      return decay(a, t13).mul(c).sub(decay(b, t13).mul(d)).add(decay(e, t13).mul(f)).sub(y)
    },
    minima: [0, 5.65565e-3],
  },
  {
    name: "19 Osborne 2",
    start: [1.3, 0.65, 0.65, 0.7, 0.6, 3, 5, 7, 2, 4.5, 5.5],
    residuals: ([a, b, c, d, e, f, g, h, i, j, k]: any) => {
      const bell = (height: Tensor, width: Tensor, at: Tensor): Tensor => height.mul(exp(t65.sub(at).square().mul(width).neg()))
      return f64(osborne2).sub(decay(e, t65).mul(a).add(bell(b, f, i)).add(bell(c, g, j)).add(bell(d, h, k)))
    },
    minima: [4.01377e-2, 1.78981],
  },
  ...([[6, 2.28767e-3], [9, 1.39976e-6], [12, 4.72238e-10]] as const).map(([n, least]) => ({
    name: `20 Watson, ${n}`,
    start: same(n, 0),
    residuals: watson,
    minima: [least],
  })),
  {
    name: "23 penalty I",
    start: counted(10, i => i),
    residuals: x => concat([x.sub(1).mul(Math.sqrt(1e-5)), sum(x.square()).sub(0.25).reshape(1)]),
    minima: [7.08765e-5],
  },
  {
    name: "25 variably dimensioned",
    start: counted(10, j => 1 - j / 10),
    residuals: x => {
      const all = sum(x.sub(1).mul(list(10, j => j)))
      return concat([x.sub(1), stack([all, all.square()])])
    },
    minima: [0],
  },
  {
    name: "26 trigonometric",
    start: same(10, 0.1),
    residuals: x => sum(cos(x)).neg().add(10).add(cos(x).neg().add(1).mul(list(10, i => i))).sub(sin(x)),
    minima: [0, 2.79506e-5],
  },
  { name: "27 Brown almost linear, 10", start: same(10, 0.5), residuals: brownAlmostLinear, minima: [0, 1] },
  { name: "27 Brown almost linear, 40", start: same(40, 0.5), residuals: brownAlmostLinear, minima: [0, 1] },
  { name: "28 boundary value", start: counted(10, j => (j / 11) * (j / 11 - 1)), residuals: boundary, minima: [0] },
  { name: "29 integral equation", start: counted(10, j => (j / 11) * (j / 11 - 1)), residuals: integral, minima: [0] },
  { name: "30 Broyden tridiagonal", start: same(10, -1), residuals: tridiagonal, minima: [0] },
  { name: "31 Broyden banded", start: same(10, -1), residuals: banded, minima: [0] },
  {
    name: "32 linear, full rank",
    start: same(5, 1),
    residuals: x => concat([x.sub(sum(x).mul(0.2)).sub(1), ones([5], { dtype: "f64" }).mul(sum(x).mul(-0.2).sub(1))]),
    minima: [5],
  },
  {
    name: "33 linear, rank 1",
    start: same(5, 1),
    residuals: x => list(10, i => i).mul(sum(x.mul(list(5, j => j)))).sub(1),
    minima: [(10 * 9) / (2 * 21)],
  },
  {
    name: "34 linear, rank 1, with zeros",
    start: same(5, 1),
    residuals: x => list(10, i => (i === 10 ? 0 : i - 1)).mul(sum(x.mul(f64([0, 2, 3, 4, 0])))).sub(1),
    minima: [(100 + 30 - 6) / (2 * 17)],
  },
  ...([[6, [0]], [8, [3.51687e-3]], [9, [0]], [10, [4.77271e-3, 6.50395e-3]]] as const).map(([n, minima]) => ({
    name: `35 Chebyquad, ${n}`,
    start: counted(n, j => j / (n + 1)),
    residuals: chebyquad,
    minima,
  })),
] // biome-ignore format: a formula a line
