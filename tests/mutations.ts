/** A stream of random whole numbers below `n`, the same for the same seed (mulberry32). */
export function randomBelow(seed: number): (n: number) => number {
  let state = seed | 0
  return n => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % n
  }
}

/** Values at which lengths and signs turn over, and characters that formats give a meaning. */
const BYTES = [0, 1, 9, 10, 13, 0x20, 0x22, 0x27, 0x28, 0x2c, 0x2d, 0x30, 0x39, 0x3a, 0x3b, 0x5b, 0x5c, 0x7b, 0x7d, 0x7f, 0x80, 0xfe, 0xff]

type Mutation = (bytes: Uint8Array, below: (n: number) => number) => Uint8Array
const pieces = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))
const changed = (bytes: Uint8Array, at: number, change: (view: Uint8Array) => void): Uint8Array => {
  const copy = bytes.slice()
  change(copy.subarray(at))
  return copy
}
const mutations: readonly Mutation[] = [
  (bytes, below) => changed(bytes, below(bytes.length), view => void (view[0]! ^= 1 << below(8))),
  (bytes, below) => changed(bytes, below(bytes.length), view => void (view[0] = BYTES[below(BYTES.length)]!)),
  (bytes, below) => changed(bytes, below(bytes.length), view => view.fill(BYTES[below(BYTES.length)]!, 0, 1 + below(8))),
  (bytes, below) => bytes.slice(0, below(bytes.length)),
  (bytes, below) => pieces(bytes.subarray(0, below(bytes.length)), bytes.subarray(below(bytes.length))),
  (bytes, below) => {
    const at = below(bytes.length)
    return pieces(
      bytes.subarray(0, at),
      Uint8Array.from({ length: 1 + below(9) }, () => BYTES[below(BYTES.length)]!),
      bytes.subarray(at),
    )
  },
]

/** `bytes` with one to four random changes. */
export function mutated(bytes: Uint8Array, below: (n: number) => number): Uint8Array {
  let result = bytes
  for (let left = 1 + below(4); left > 0 && result.length > 0; left--) result = mutations[below(mutations.length)]!(result, below)
  return result
}
