// What Parquet writes about itself is Thrift's compact protocol. The library that reads it takes memory for lists as long as they say
// that they are, so they are gone through before.

const [BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, STRUCT] = [3, 4, 5, 6, 7, 8, 9, 12]
/** Parquet has no structures in structures deeper than eight. */
const DEEPEST = 20

/**
 * The place behind a structure that begins at `at`.
 *
 * @throws RangeError for one that is longer than the bytes; TypeError for lists that cannot be as long as they say, and for unknown types.
 */
export function endOfStruct(view: DataView, at: number, depth = 0): number {
  if (depth > DEEPEST) throw new TypeError("its description is nested too deeply")
  let place = at
  for (;;) {
    const byte = view.getUint8(place++)
    if (byte === 0) return place
    if (byte >> 4 === 0) place = varint(view, place).end
    const type = byte & 15
    // the value of a flag is its type
    place = type === 1 || type === 2 ? place : endOf(view, place, type, depth)
  }
}

function endOf(view: DataView, at: number, type: number, depth: number): number {
  if (type <= BYTE) return at + 1
  if (type === I16 || type === I32 || type === I64) return varint(view, at).end
  if (type === DOUBLE) return at + 8
  if (type === BINARY) {
    const { value, end } = varint(view, at)
    if (value > view.byteLength - end) throw new TypeError("a text of its description is longer than the file")
    return end + value
  }
  if (type === STRUCT) return endOfStruct(view, at, depth + 1)
  if (type !== LIST) throw new TypeError(`its description has a field of the unknown type ${type}`)
  const first = view.getUint8(at)
  const { value, end } = first >> 4 === 15 ? varint(view, at + 1) : { value: first >> 4, end: at + 1 }
  if (value > view.byteLength - end) throw new TypeError(`a list of its description has ${value} elements, more than there are bytes`)
  let place = end
  for (let i = 0; i < value; i++) place = endOf(view, place, first & 15, depth)
  return place
}

/** A whole number of seven bits a byte, the lowest first; of more than 64 bits it is none. */
export function varint(view: DataView, at: number): { readonly value: number; readonly end: number } {
  let value = 0
  for (let i = 0; i < 10; i++) {
    const byte = view.getUint8(at + i)
    value += (byte & 127) * 2 ** (7 * i)
    if (byte < 128) return { value, end: at + i + 1 }
  }
  throw new TypeError("a number has more than 64 bits")
}
