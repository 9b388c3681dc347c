// Learning without gradients of any kind: a population of parameters, of which the better ones have children.
import { scope, type Tensor } from "../core/tensor.ts"
import { type Tree, treeMap } from "../core/tree.ts"
import { add, cast, equal, mul, where } from "../ops/arithmetic.ts"
import { takeAlongAxis } from "../ops/indexing.ts"
import { bernoulli, fold, normal, split, uniform } from "../ops/random.ts"
import { argmin, min } from "../ops/reduction.ts"
import { concat, reshape, slice, take } from "../ops/shape.ts"
import { argsort } from "../ops/sort.ts"
import { type FitRun, fit } from "../train/fit.ts"
import type { FitOptions } from "../train/options.ts"
import { type Dataset, pair } from "../train/rows.ts"
import type { MoveRule } from "../train/rule.ts"
import type { Optimizer, Trainable } from "../train/trainable.ts"
import { vmap } from "../transforms/vmap.ts"
import { wantCount, wantPositive, wantShare } from "./wants.ts"

export interface GeneticOptions {
  /** Number of members. Default: 100. */
  readonly population?: number
  /** How many of the best go on as they are. Default: 2. */
  readonly elite?: number
  /** Members that are drawn for each parent, which is the best of them. Default: 3. */
  readonly tournament?: number
  /** Probability that a child has two parents and not one. Default: 0.7. */
  readonly crossover?: number
  /** Probability that a parameter of a child changes. Default: 0.1. */
  readonly mutation?: number
  /** Standard deviation of such a change. Default: 0.3. */
  readonly mutationSize?: number
}

/**
 * A genetic algorithm with real-valued genes. Each step of `fit` is a generation: the loss of every member on the mini-batch, all in one pass
 * (`vmap`), then the next population. Montana and Davis, Training feedforward neural networks using genetic algorithms (1989); uniform
 * crossover as in Syswerda (1989).
 *
 *     fitness_i = -loss(f(params_i, x), y)
 *     the `elite` best members stay; each other place is for a child of parents p and q, each the best of `tournament` random members:
 *     child_j = p_j, or with probability `crossover` p_j or q_j at equal odds;  with probability `mutation` plus mutationSize N(0, 1)
 *
 * The parameters of the model are those of the best member of the last generation that was measured. Any model and any loss will do, also one without
 * derivatives. The optimizer is not asked: `evolve` goes without one. Signals: none. Throws TypeError for options out of range.
 *
 * @example
 * const data = { x: random.normal(random.key(1), [64, 2]), y: ones([64, 1]) }
 * const run = evolve(sequential(dense(2, 1)), data, { loss: squaredError, epochs: 100, rule: genetic({ population: 50 }) })
 * const trained = await run.result
 * trained.evaluate(data, { loss: squaredError }).loss < 0.1  // true
 */
export function genetic(options: GeneticOptions = {}): MoveRule {
  const { population = 100, elite = 2, tournament = 3, crossover = 0.7, mutation = 0.1, mutationSize = 0.3 } = options
  wantCount("genetic", "population", population, 2)
  wantCount("genetic", "elite", elite, 0)
  wantCount("genetic", "tournament", tournament)
  if (elite >= population)
    throw new TypeError(`genetic: \`elite\` must be less than the population, ${population}, so that there are children; got ${elite}`)
  wantShare("genetic", "crossover", crossover)
  wantShare("genetic", "mutation", mutation)
  wantPositive("genetic", "mutationSize", mutationSize)
  const children = population - elite
  return {
    config: { kind: "genetic", population, elite, tournament, crossover, mutation, mutationSize },
    signals: [],
    init: (model, _params, inShape, key) => {
      const members = vmap((key: Tensor): Tree => model.init(key, inShape).params)(split(key, population))
      return { kept: { members }, learned: {} }
    },
    move({ model, loss, own, state, x, y, key }) {
      const { members } = own.kept as { members: Tree }
      const lossOf = (params: Tree): Tensor => loss(model.apply(params, state, x, { key, training: true })[0], y)
      const losses = vmap(lossOf)(members)
      // a member whose loss is no number is the worst of all
      const judged = where(equal(losses, losses), losses, Number.POSITIVE_INFINITY)
      const best = argmin(judged)
      const next = scope("genetic", () => {
        const parent = (key: Tensor): Tensor => {
          const drawn = below(key, [children, tournament], population)
          const winner = argmin(take(judged, drawn), { axis: 1 })
          return reshape(takeAlongAxis(drawn, reshape(winner, [children, 1]), { axis: 1 }), [children])
        }
        const [first, second] = [parent(fold(key, -1)), parent(fold(key, -2))]
        const mixed = bernoulli(fold(key, -3), crossover, [children])
        const stay = slice(argsort(judged), [0, elite])
        let leaf = 0
        return treeMap(genes => {
          const seed = fold(fold(key, -4), leaf++)
          const [p, q] = [take(genes, first), take(genes, second)]
          const each = reshape(mixed, [children, ...p.shape.slice(1).map(() => 1)])
          const child = where(each, where(bernoulli(fold(seed, 0), 0.5, p.shape), p, q), p)
          const change = mul(normal(fold(seed, 1), p.shape, { dtype: p.dtype as "f32" | "f64" }), mutationSize)
          const born = add(child, where(bernoulli(fold(seed, 2), mutation, p.shape), change, 0))
          return elite > 0 ? concat([take(genes, stay), born]) : born
        }, members)
      })
      return {
        loss: min(judged),
        state,
        params: treeMap(genes => take(genes, best), members),
        own: { kept: { members: next }, learned: {} },
      }
    },
  }
}
/** Whole numbers from 0 to n - 1 at random. */
const below = (key: Tensor, shape: readonly number[], n: number): Tensor => cast(mul(uniform(key, shape), n), "i32")

/** Options of `fit` but for the optimizer, which evolution has no use for. */
export interface EvolveOptions extends Omit<FitOptions, "optimizer" | "rule"> {
  /** Default: `genetic()`. */
  readonly rule?: MoveRule
}
/**
 * `fit` without an optimizer, for rules that move the parameters themselves. One generation sees all training rows unless `batchSize` says
 * otherwise, and an epoch is then a generation. The same seed gives the same bits.
 *
 * @example
 * const x = tensor([[0, 0], [0, 1], [1, 0], [1, 1]])
 * const y = tensor([0, 1, 1, 0], { dtype: "i32" })
 * const model = sequential(dense(2, 4), logistic(), dense(4, 2))
 * const trained = await evolve(model, { x, y }, { loss: crossEntropy, epochs: 150 }).result
 * trained.predict(x).argmax({ axis: 1 })  // [0, 1, 1, 0]
 */
export function evolve<M extends Trainable>(model: M, data: Dataset, options: EvolveOptions): FitRun<M> {
  const batchSize = options?.batchSize ?? pair(data, "evolve").x.rows
  return fit(model, data, { rule: genetic(), ...options, batchSize, optimizer: none })
}
const none: Optimizer = { config: { kind: "none" }, init: () => ({}), update: (_grads, state, params) => [params, state] }
