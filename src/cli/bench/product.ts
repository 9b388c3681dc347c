// How fast matrix products are here, as training has them: one jitted function that stays in the engine's memory.
import { jit, matmul, random, type Tensor } from "../../index.ts"
import { median } from "./timing.ts"

const N = 512
/** Products in one run of the program. */
const TURNS = 8
const MS = 150
const REPEATS = 5

/** GFLOP/s of products of 512 by 512 matrices in f32: the median of five repeats. */
export function measureProduct(): number {
  const key = random.key(1)
  // the product of a state with a matrix of small numbers, so that nothing grows
  const matrix = random.normal(key, [N, N]).mul(1 / N)
  const step = jit(
    (state: Tensor, m: Tensor) => {
      let x = state
      for (let i = 0; i < TURNS; i++) x = matmul(x, m).add(state)
      return x
    },
    { donate: [0] },
  )
  let state = random.normal(random.fold(key, 1), [N, N])
  const run = (ms: number): number => {
    const from = performance.now()
    let runs = 0
    for (; performance.now() - from < ms; runs++) state = step(state, matrix).mul(0.5)
    return (2 * N ** 3 * TURNS * runs) / (performance.now() - from) / 1e6
  }
  run(2 * MS)
  return median(Array.from({ length: REPEATS }, () => run(MS)))
}
