// First weights and data of the workloads: the same numbers from the same seeds on every machine.

/** Random numbers from 0 to below 1 with one word of state: mulberry32, by Tommy Ettinger, who gave it to the public domain. */
export function generator(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let word = Math.imul(state ^ (state >>> 15), state | 1)
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61)
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32
  }
}

/** `n` numbers between `low` and `high`. */
export function uniform(n: number, seed: number, low: number, high: number): Float32Array {
  const next = generator(seed)
  return Float32Array.from({ length: n }, () => low + (high - low) * next())
}

/** `n` first weights of units with `inputs` inputs: uniform within 1 / sqrt(inputs), PyTorch's default. */
export function weights(n: number, inputs: number, seed: number): Float32Array {
  const bound = 1 / Math.sqrt(inputs)
  return uniform(n, seed, -bound, bound)
}

/** `n` whole numbers from 0 to below `end`. */
export function integers(n: number, seed: number, end: number): Int32Array {
  const next = generator(seed)
  return Int32Array.from({ length: n }, () => Math.floor(next() * end))
}

/** 0 to n - 1 in another order (Fisher and Yates). */
export function permutation(n: number, seed: number): Int32Array {
  const next = generator(seed)
  const order = Int32Array.from({ length: n }, (_, i) => i)
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1))
    const kept = order[i]!
    order[i] = order[j]!
    order[j] = kept
  }
  return order
}
