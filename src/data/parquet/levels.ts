import { varint } from "./thrift.ts"

/** Values behind the last one that writers fill a run of packed bits up with, at most. */
const FILLING = 504

/**
 * Goes through the runs of Parquet's hybrid of repeated and packed values until there are `n`, without taking memory for them.
 *
 * @returns how many of the values are 1, for values of one bit
 * @throws TypeError for runs that are longer than that; RangeError for runs that are cut off.
 * @see https://parquet.apache.org/docs/file-format/data-pages/encodings/ (RLE)
 */
export function checkRuns(view: DataView, at: number, width: number, n: number): number {
  if (width > 32) throw new TypeError(`values of ${width} bits`)
  let [place, seen, ones] = [at, 0, 0]
  while (seen < n) {
    const { value: head, end } = varint(view, place)
    const packed = head % 2 === 1
    const count = packed ? Math.floor(head / 2) * 8 : head / 2
    if (count === 0 || count > n - seen + (packed ? FILLING : 0)) throw new TypeError(`a run of ${count} values where ${n - seen} are left`)
    const used = Math.min(count, n - seen)
    if (width === 1) ones += packed ? bits(view, end, used) : used * (view.getUint8(end) & 1)
    place = end + (packed ? (count / 8) * width : (width + 7) >> 3)
    seen += used
  }
  return ones
}

function bits(view: DataView, at: number, n: number): number {
  let ones = 0
  for (let i = 0; i < n; i++) ones += (view.getUint8(at + (i >> 3)) >> (i & 7)) & 1
  return ones
}
