import type { Tree } from "../core/tree.ts"
import { add, mul, sign } from "../ops/arithmetic.ts"
import { zerosLike } from "../ops/create.ts"
import { decayed, type Optimizer, optimizer, settings, type WeightDecayOptions } from "./optimizer.ts"
import { average, type LearningRate, map, scaleByLearningRate, type Transformation, wantDecay } from "./transformation.ts"

export interface ScaleByLionOptions {
  /** Share of the average in the direction. Default: 0.9. */
  readonly b1?: number
  /** Decay of the average of gradients. Default: 0.99. */
  readonly b2?: number
}

/**
 * Lion's direction: the updates become sign(b1 m + (1 - b1) g), then m <- b2 m + (1 - b2) g.
 *
 * State: `{ m }`, like the parameters. Chen et al., arXiv:2302.06675, algorithm 2.
 *
 * @example
 * const w = tensor([1, -2])
 * const part = scaleByLion()
 * const [updates] = part.update(tensor([0.5, 0.1]), part.init(w), w)  // [1, 1]
 */
export function scaleByLion({ b1 = 0.9, b2 = 0.99 }: ScaleByLionOptions = {}): Transformation {
  wantDecay("b1", b1)
  wantDecay("b2", b2)
  return {
    init: params => ({ m: map(zerosLike, params) }),
    update(updates, state) {
      const before = (state as { m: Tree }).m
      const direction = map((m, g) => sign(add(mul(m, b1), mul(g, 1 - b1))), before, updates)
      return [direction, { m: map((m, g) => average(m, g, b2), before, updates) }]
    },
  }
}

export interface LionOptions extends ScaleByLionOptions, WeightDecayOptions {
  /** Each step takes rate * weightDecay * w from w. Default: 0. */
  readonly weightDecay?: number
}

/**
 * Lion: steps of one size, in the direction of the sign of an average of gradients (see `scaleByLion`), with decoupled weight decay.
 * Its authors use a learning rate 3 to 10 times smaller than Adam's, and a weight decay as many times larger.
 *
 * Throws TypeError for settings out of range. Chen et al., arXiv:2302.06675, algorithm 2.
 *
 * @example
 * const w = tensor([1, -2])
 * const rule = lion(0.1, { weightDecay: 0.1 })
 * const [next] = rule.update(tensor([0.5, 0.1]), rule.init(w), w)  // [0.89, -2.08]
 */
export function lion(
  learningRate: LearningRate = 1e-4,
  { b1 = 0.9, b2 = 0.99, weightDecay = 0, weightDecayMask }: LionOptions = {},
): Optimizer {
  const config = settings("lion", learningRate, { b1, b2, weightDecay, weightDecayMask })
  return optimizer(config, scaleByLion({ b1, b2 }), ...decayed(weightDecay, weightDecayMask), scaleByLearningRate(learningRate))
}
