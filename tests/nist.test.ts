// NIST's reference problems of nonlinear regression (Statistical Reference Datasets), which are found beside the project or skipped.
import { existsSync, readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { atan, cos, exp, log, pow, sin, type Tensor, tensor } from "../src/index.ts"
import { leastSquares } from "../src/optim.ts"

interface Reference {
  readonly start1: readonly number[]
  readonly start2: readonly number[]
  readonly certified: readonly number[]
  readonly x: readonly (number | readonly number[])[]
  readonly y: readonly number[]
}
type Model = (b: readonly Tensor[], x: Tensor, x2: Tensor) => Tensor

const decay = (a: Tensor, k: Tensor, x: Tensor): Tensor => a.mul(exp(k.mul(x).neg()))
const polynomial = (x: Tensor, ...c: readonly (Tensor | number)[]): Tensor =>
  c.slice(0, -1).reduceRight<Tensor>((y, a) => y.mul(x).add(a), x.mul(0).add(c.at(-1)!))
const bell = (x: Tensor, a: Tensor, at: Tensor, width: Tensor): Tensor => a.mul(exp(x.sub(at).div(width).square().neg()))
const wave = (x: Tensor, period: Tensor | number, a: Tensor, b: Tensor): Tensor => {
  const t = x.mul(2 * Math.PI).div(period)
  return a.mul(cos(t)).add(b.mul(sin(t)))
}
const gauss: Model = ([b1, b2, b3, b4, b5, b6, b7, b8], x) =>
  decay(b1!, b2!, x)
    .add(bell(x, b3!, b4!, b5!))
    .add(bell(x, b6!, b7!, b8!))
const cubics: Model = ([b1, b2, b3, b4, b5, b6, b7], x) => polynomial(x, b1!, b2!, b3!, b4!).div(polynomial(x, 1, b5!, b6!, b7!))
const decays: Model = ([b1, b2, b3, b4, b5, b6], x) =>
  decay(b1!, b2!, x)
    .add(decay(b3!, b4!, x))
    .add(decay(b5!, b6!, x))
const saturation: Model = ([b1, b2], x) => b1!.mul(exp(b2!.mul(x).neg()).neg().add(1))
const chwirut: Model = ([b1, b2, b3], x) => exp(b1!.mul(x).neg()).div(b2!.add(b3!.mul(x)))

const models: Readonly<Record<string, Model>> = {
  Bennett5: ([b1, b2, b3], x) => b1!.mul(pow(b2!.add(x), b3!.pow(-1).neg())),
  BoxBOD: saturation,
  Chwirut1: chwirut,
  Chwirut2: chwirut,
  DanWood: ([b1, b2], x) => b1!.mul(pow(x, b2!)),
  ENSO: ([b1, b2, b3, b4, b5, b6, b7, b8, b9], x) => b1!.add(wave(x, 12, b2!, b3!)).add(wave(x, b4!, b5!, b6!)).add(wave(x, b7!, b8!, b9!)),
  Eckerle4: ([b1, b2, b3], x) => b1!.div(b2!).mul(exp(x.sub(b3!).div(b2!).square().mul(-0.5))),
  Gauss1: gauss,
  Gauss2: gauss,
  Gauss3: gauss,
  Hahn1: cubics,
  Kirby2: ([b1, b2, b3, b4, b5], x) => polynomial(x, b1!, b2!, b3!).div(polynomial(x, 1, b4!, b5!)),
  Lanczos1: decays,
  Lanczos2: decays,
  Lanczos3: decays,
  MGH09: ([b1, b2, b3, b4], x) => b1!.mul(polynomial(x, 0, b2!, 1)).div(polynomial(x, b4!, b3!, 1)),
  MGH10: ([b1, b2, b3], x) => b1!.mul(exp(b2!.div(x.add(b3!)))),
  MGH17: ([b1, b2, b3, b4, b5], x) => b1!.add(decay(b2!, b4!, x)).add(decay(b3!, b5!, x)),
  Misra1a: saturation,
  Misra1b: ([b1, b2], x) => b1!.mul(pow(b2!.mul(x).div(2).add(1), -2).neg().add(1)),
  Misra1c: ([b1, b2], x) => b1!.mul(pow(b2!.mul(x).mul(2).add(1), -0.5).neg().add(1)),
  Misra1d: ([b1, b2], x) => b1!.mul(b2!).mul(x).div(b2!.mul(x).add(1)),
  Nelson: ([b1, b2, b3], x, x2) => b1!.sub(b2!.mul(x).mul(exp(b3!.mul(x2).neg()))),
  Rat42: ([b1, b2, b3], x) => b1!.div(exp(b2!.sub(b3!.mul(x))).add(1)),
  Rat43: ([b1, b2, b3, b4], x) => b1!.div(pow(exp(b2!.sub(b3!.mul(x))).add(1), b4!.pow(-1))),
  Roszman1: ([b1, b2, b3, b4], x) => b1!.sub(b2!.mul(x)).sub(atan(b3!.div(x.sub(b4!))).div(Math.PI)),
  Thurber: cubics,
} // biome-ignore format: a formula a line

const file = new URL("../../shared/material/nist-strd/strd.json", import.meta.url)
const there = existsSync(file)
if (!there) console.log("skipped: NIST's reference problems are not beside the project (nist-strd/strd.json)")
const f64 = (x: number | readonly number[]): Tensor => tensor(x, { dtype: "f64" })
/** Correct digits of the worst parameter: the log relative error, at most 11, which are certified. */
const digits = (got: readonly Tensor[], certified: readonly number[]): number =>
  Math.min(...certified.map((c, i) => Math.min(11, Math.max(0, -Math.log10(Math.abs(got[i]!.item() / c - 1))))))

test.skipIf(!there)("leastSquares solves all 27 problems from both starts", { timeout: 120_000 }, () => {
  const { problems } = JSON.parse(readFileSync(file, "utf8")) as { problems: Readonly<Record<string, Reference>> }
  expect(Object.keys(problems).sort()).toEqual(Object.keys(models).sort())
  const found = Object.entries(problems).flatMap(([name, p]) => {
    const [x, x2] = [0, 1].map(k => f64(p.x.map(row => (typeof row === "number" ? row : row[k]!)))) as [Tensor, Tensor]
    const y = name === "Nelson" ? log(f64(p.y)) : f64(p.y)
    return [p.start1, p.start2].map((start, i) => {
      const { params, iterations } = leastSquares(b => y.sub(models[name]!(b, x, x2)), start.map(f64))
      return { name: `${name}, start ${i + 1}`, digits: digits(params, p.certified), iterations }
    })
  })
  const mean = found.reduce((n, f) => n + f.digits, 0) / found.length
  const worst = found.reduce((a, b) => (a.digits < b.digits ? a : b))
  console.log(`${found.length} runs, ${mean.toFixed(2)} digits in the mean, fewest ${worst.digits.toFixed(1)} (${worst.name})`)
  expect(found.filter(f => f.digits < 4)).toEqual([])
  expect(found.length).toBe(54)
  expect(mean).toBeGreaterThan(9)
})
