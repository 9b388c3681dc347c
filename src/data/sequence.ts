import { shuffle } from "./split.ts"

/** What a sequence is made from: a list, or a function that begins anew whenever it is called (files are opened in it, say). */
export type SequenceSource<T> =
  | Iterable<T>
  | { readonly length: number; at(i: number): T | Promise<T> | undefined }
  | ((epoch: number) => Iterable<T> | AsyncIterable<T>)

type Items<T> = Iterable<T | Promise<T>> | AsyncIterable<T>
/** Gives any element of an epoch. */
type At<T> = (i: number, epoch: number) => T | Promise<T>

/** How `shuffle` mixes. */
export interface ShuffleOptions {
  readonly seed: number
  /** Elements among which the next one is drawn, where the source gives them in order only. */
  readonly buffer?: number
}

/**
 * A lazy sequence: elements are made when they are asked for. Each method gives a new sequence; nothing is read before one is iterated.
 *
 * An epoch is one time through: `for await (const x of s)` is epoch 0, `s.epoch(1)` the next one, which `shuffle` orders otherwise. The
 * same seed and epoch give the same order on every machine.
 */
export class Sequence<T> implements AsyncIterable<T> {
  /** Number of elements; undefined where only going through tells. */
  readonly length: number | undefined
  private readonly items: (epoch: number) => Items<T>
  private readonly any: At<T> | undefined

  constructor(items: (epoch: number) => Items<T>, length?: number, any?: At<T>) {
    this.items = items
    this.length = length
    this.any = any
  }

  /** The elements of one time through. */
  async *epoch(epoch: number): AsyncGenerator<T> {
    for await (const item of this.items(epoch)) yield item
  }
  [Symbol.asyncIterator](): AsyncGenerator<T> {
    return this.epoch(0)
  }

  /** Each element as `f` changes it, which may take its time. */
  map<U>(f: (item: T) => U | Promise<U>): Sequence<U> {
    const { items, any } = this
    const all = async function* (epoch: number): AsyncGenerator<U> {
      for await (const item of items(epoch)) yield await f(item)
    }
    return new Sequence(all, this.length, any && (async (i, epoch) => f(await any(i, epoch))))
  }

  /** The elements for which `f` is true. */
  filter(f: (item: T) => boolean | Promise<boolean>): Sequence<T> {
    const { items } = this
    return new Sequence(async function* (epoch) {
      for await (const item of items(epoch)) if (await f(item)) yield item
    })
  }

  /** The first `n` elements. */
  take(n: number): Sequence<T> {
    whole("take", n, 0)
    const { items, length, any } = this
    const some = async function* (epoch: number): AsyncGenerator<T> {
      let left = n
      if (left === 0) return
      for await (const item of items(epoch)) {
        yield item
        if (--left === 0) return
      }
    }
    return new Sequence(some, length === undefined ? undefined : Math.min(n, length), any)
  }

  /** The elements behind the first `n`. */
  skip(n: number): Sequence<T> {
    whole("skip", n, 0)
    const { items, length, any } = this
    const rest = async function* (epoch: number): AsyncGenerator<T> {
      let left = n
      for await (const item of items(epoch)) if (left-- <= 0) yield item
    }
    return new Sequence(rest, length === undefined ? undefined : Math.max(0, length - n), any && ((i, epoch) => any(i + n, epoch)))
  }

  /**
   * In another order in each epoch: every order is equally likely where the source gives any element (a list, and `map`, `take`, `skip`
   * of one). Others are mixed in a buffer: the next element is drawn from `buffer` ones, whose place the following ones take.
   *
   * @throws TypeError without `buffer` where the source gives its elements in order only.
   */
  shuffle({ seed, buffer }: ShuffleOptions): Sequence<T> {
    whole("shuffle: `seed`", seed, 0)
    const { items, length, any } = this
    if (any !== undefined && length !== undefined) {
      const order = orders(length, seed)
      return fromAny(length, (i, epoch) => any(order(epoch)[i]!, epoch))
    }
    if (buffer === undefined)
      throw new TypeError(
        "shuffle: this sequence gives its elements in order only; say among how many to draw, as in { seed: 1, buffer: 10_000 }",
      )
    whole("shuffle: `buffer`", buffer, 1)
    return new Sequence(epoch => mixed(items(epoch), buffer, seed, epoch), length)
  }

  /** Lists of `n` elements, the last one perhaps of fewer. */
  batch(n: number): Sequence<T[]> {
    whole("batch", n, 1)
    const { items, length } = this
    const lists = async function* (epoch: number): AsyncGenerator<T[]> {
      let list: T[] = []
      for await (const item of items(epoch)) {
        list.push(item)
        if (list.length < n) continue
        yield list
        list = []
      }
      if (list.length > 0) yield list
    }
    return new Sequence(lists, length === undefined ? undefined : Math.ceil(length / n))
  }

  /** Makes up to `n` elements ahead while those before are used: reading goes on while the caller waits for something else. */
  prefetch(n: number): Sequence<T> {
    whole("prefetch", n, 1)
    const { items, length, any } = this
    return new Sequence(epoch => ahead(items(epoch), n), length, any)
  }

  /** All elements of epoch 0. */
  async toArray(): Promise<T[]> {
    const all: T[] = []
    for await (const item of this) all.push(item)
    return all
  }
}

/**
 * A lazy sequence of what a list holds or a function gives.
 *
 * @param source a function is called anew for each epoch and may return a generator, a stream, or anything to iterate
 * @example
 * const squares = sequence([1, 2, 3, 4, 5]).map(x => x * x)
 * await squares.shuffle({ seed: 1 }).batch(2).toArray()     // [[16, 4], [25, 1], [9]]
 * await sequence(function* () { yield 1; yield 2 }).toArray()  // [1, 2]
 */
export function sequence<T>(source: SequenceSource<T>): Sequence<T> {
  if (typeof source === "function") return new Sequence(source as (epoch: number) => Items<T>)
  if (typeof source !== "object" || source === null) throw new TypeError(`sequence: wants a list or a function; got ${typeof source}`)
  if (Array.isArray(source) || ArrayBuffer.isView(source)) {
    const list = source as unknown as ArrayLike<T>
    return fromAny(list.length, i => list[i]!)
  }
  if ("at" in source && "length" in source) return fromAny(source.length, i => source.at(i) as T | Promise<T>)
  if (Symbol.asyncIterator in source || "next" in source)
    throw new TypeError(
      "sequence: a generator or stream can be read once only; give a function that makes it, as in sequence(() => read(file))",
    )
  return new Sequence(() => source as Iterable<T>)
}

function fromAny<T>(length: number, any: At<T>): Sequence<T> {
  const all = async function* (epoch: number): AsyncGenerator<T> {
    for (let i = 0; i < length; i++) yield await any(i, epoch)
  }
  return new Sequence(all, length, any)
}

/** The order of each epoch, the last one kept. */
function orders(length: number, seed: number): (epoch: number) => Int32Array {
  let last = -1
  let order: Int32Array = new Int32Array(0)
  return epoch => {
    if (epoch !== last) order = shuffle(length, seed, epoch)
    last = epoch
    return order
  }
}

/** Places are drawn for `buffer` elements at a time. */
async function* mixed<T>(items: Items<T>, buffer: number, seed: number, epoch: number): AsyncGenerator<T> {
  const held: T[] = []
  let rounds = 0
  let places: Int32Array = new Int32Array(0)
  let next = 0
  for await (const item of items) {
    if (held.length < buffer) {
      held.push(item)
      continue
    }
    // each round every held place is drawn once: no element waits for longer than two rounds
    if (next === places.length) [places, next] = [shuffle(buffer, mixedSeed(seed, epoch), rounds++), 0]
    const place = places[next++]!
    yield held[place]!
    held[place] = item
  }
  for (const place of shuffle(held.length, mixedSeed(seed, epoch), rounds)) yield held[place]!
}

/** `shuffle` takes one seed and one number: here the epoch is part of the seed, and the number counts rounds. */
const mixedSeed = (seed: number, epoch: number): number => ((seed % 2 ** 32) + (epoch + 1) * 2 ** 32) % Number.MAX_SAFE_INTEGER

async function* ahead<T>(items: Items<T>, n: number): AsyncGenerator<T> {
  const iterator = iteratorOf(items)
  const waiting: Promise<IteratorResult<T>>[] = []
  try {
    for (;;) {
      while (waiting.length < n) {
        const next = iterator.next()
        next.catch(() => {}) // reported when its turn comes
        waiting.push(next)
      }
      const { done, value } = await waiting.shift()!
      if (done) return
      yield value
    }
  } finally {
    await iterator.return?.()
  }
}

/** An asynchronous generator answers calls of `next` one after another, also where several wait. */
async function* chained<T>(items: Items<T>): AsyncGenerator<T> {
  for await (const item of items) yield item
}
const iteratorOf = <T>(items: Items<T>): AsyncIterator<T> => chained(items)

function whole(what: string, x: number, from: number): void {
  if (!Number.isSafeInteger(x) || x < from) throw new TypeError(`sequence: ${what} wants a whole number from ${from}; got ${x}`)
}
