// What `MLP` takes, and what is said of anything else.

export interface TrainOptions {
  /** One example, [inputs], or a list of them. */
  readonly x: readonly number[] | readonly (readonly number[])[]
  /** What is wanted of each: a number, [outputs], or a list of either; between 0 and 1. */
  readonly y: number | readonly number[] | readonly (readonly number[])[]
  /** Widths of the hidden layers, from the inputs on; those of inputs and outputs follow from `x` and `y`. */
  readonly netArch: readonly number[]
  /** Steps at most. Default: 500. */
  readonly maxIter?: number
  /** w <- w - learningRate dE/dw. Default: 0.7. */
  readonly learningRate?: number
  /** Training ends when the error is no greater. Default: 0. */
  readonly tolerance?: number
  /** Each unit but the inputs has a bias, which starts at 0. Default: true. */
  readonly bias?: boolean
  /** Weights start by it. Default: 0. */
  readonly seed?: number
  /** Prints the error every 100 iterations. Default: false. */
  readonly debug?: boolean
}
type Rows = readonly (readonly number[])[]
export type Training = Required<Omit<TrainOptions, "x" | "y">> & { readonly x: Rows; readonly y: Rows }

const DEFAULTS = { maxIter: 500, learningRate: 0.7, tolerance: 0, bias: true, seed: 0, debug: false } as const
const NAMES = ["x", "y", "netArch", ...Object.keys(DEFAULTS)]

export function wantTraining(options: TrainOptions): Training {
  const unknown = Object.keys(options).find(name => !NAMES.includes(name))
  want(unknown === undefined, `there is no option "${unknown}"; there are ${NAMES.join(", ")}`)
  const all = { ...DEFAULTS, ...options }
  const { netArch, maxIter, learningRate, tolerance, seed } = all
  const whole = (x: unknown, least: number): boolean => Number.isInteger(x) && (x as number) >= least
  want(
    Array.isArray(netArch) && netArch.every(n => whole(n, 1)),
    `netArch lists the widths of the hidden layers, such as [7, 5, 4], and [] for none; got ${told(netArch)}`,
  )
  want(whole(maxIter, 1), `maxIter is a whole number of steps from 1; got ${told(maxIter)}`)
  want(Number.isFinite(learningRate) && learningRate > 0, `learningRate is a number > 0; got ${told(learningRate)}`)
  want(tolerance >= 0, `tolerance is a number >= 0; got ${told(tolerance)}`)
  want(whole(seed, 0), `seed is a whole number >= 0; got ${told(seed)}`)
  const { rows: x, single } = wantInputs("MLP.train", all.x)
  const y = wantTargets(all.y, x.length, single)
  return { ...all, x, y }
}

/** Rows of finite numbers of one width. */
export function wantInputs(name: string, x: unknown, width?: number): { readonly rows: Rows; readonly single: boolean } {
  const single = Array.isArray(x) && typeof x[0] === "number"
  const rows: unknown[] = single ? [x] : Array.isArray(x) ? x : []
  const wide = width ?? (Array.isArray(rows[0]) ? rows[0].length : 0)
  want(rows.length > 0 && wide > 0, `x is one example, such as [0.1, 0.4], or a list of examples; got ${told(x)}`, name)
  rows.forEach((row, i) => {
    const where = single ? "x" : `x[${i}]`
    want(Array.isArray(row), `${where} is a list of ${wide} numbers; got ${told(row)}`, name)
    const { length } = row as number[]
    want(length === wide, `${where} must have ${wide} inputs, as ${width ? "in training" : "x[0] has"}; got ${length}`, name)
    const wrong = (row as unknown[]).findIndex(v => !Number.isFinite(v))
    want(wrong < 0, `${where}[${wrong}] must be a finite number; got ${told((row as unknown[])[wrong])}`, name)
  })
  return { rows: rows as number[][], single }
}

function wantTargets(y: unknown, examples: number, single: boolean): Rows {
  const given: unknown[] = single ? [y] : Array.isArray(y) ? y : [y]
  const rows = given.map(row => (Array.isArray(row) ? row : [row]))
  want(rows.length === examples, `there are ${examples} examples, but y has ${rows.length} targets`)
  rows.forEach((row, i) => {
    want(row.length === rows[0]!.length && row.length > 0, `y[${i}] must have ${rows[0]!.length || "some"} outputs; got ${row.length}`)
    for (const v of row)
      want(
        v > 0 && v < 1,
        `targets must lie between 0 and 1, which a logistic output only comes near to; got ${told(v)}. Scale them, such as (y - min + 1) / (max - min + 2)`,
      )
  })
  return rows as number[][]
}

function want(holds: boolean, wanted: string, name = "MLP.train"): void {
  if (!holds) throw new TypeError(`${name}: ${wanted}`)
}
const told = (x: unknown): string => (typeof x === "number" || x === undefined ? `${x}` : (JSON.stringify(x)?.slice(0, 60) ?? typeof x))
