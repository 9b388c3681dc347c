import { encode as encodePng } from "fast-png"
import { encode as encodeJpeg } from "jpeg-js"
import { describe, expect, test } from "vitest"
import { type ImageFile, imageFolder, shuffle } from "../../data.ts"
import { DataError } from "../errors.ts"
import { decodeImage, loadDecoders } from "./decode.ts"
import { middle, mirrored, resized, withChannels } from "./resize.ts"

const decoders = await loadDecoders()
type Png = Parameters<typeof encodePng>[0]
const png = (width: number, height: number, channels: number, data: ArrayLike<number>, more: object = {}) =>
  encodePng({ width, height, channels, data: Uint8Array.from(data), ...more } as Png)
const jpeg = (width: number, height: number, colour: readonly number[]) =>
  new Uint8Array(
    encodeJpeg({ width, height, data: Uint8Array.from({ length: 4 * width * height }, (_, i) => [...colour, 255][i % 4]!) }, 95).data,
  )
const decoded = (bytes: Uint8Array) => decodeImage(bytes, "x", decoders)

describe("decoding", () => {
  const cases: [string, Uint8Array, number, number[]][] = [
    ["grey", png(2, 1, 1, [0, 200]), 1, [0, 200]],
    ["grey on white", png(2, 1, 2, [0, 255, 0, 51]), 1, [0, 204]],
    ["colours", png(1, 2, 3, [1, 2, 3, 4, 5, 6]), 3, [1, 2, 3, 4, 5, 6]],
    ["colours on white", png(1, 2, 4, [1, 2, 3, 255, 4, 5, 6, 0]), 3, [1, 2, 3, 255, 255, 255]],
    ["16 bits", encodePng({ width: 2, height: 1, channels: 1, depth: 16, data: Uint16Array.of(0x1234, 0xff00) } as Png), 1, [0x12, 0xff]],
    ["a palette", indexed(), 3, [9, 8, 7, 1, 2, 3, 1, 2, 3]],
  ]
  test.each(cases)("PNG: %s", (_, bytes, channels, data) => {
    const image = decoded(bytes)
    expect([image.channels, [...image.data]]).toEqual([channels, data])
  })
  test("JPEG, within what its compression loses", () => {
    const { data, ...rest } = decoded(jpeg(9, 5, [200, 100, 50]))
    expect(rest).toEqual({ width: 9, height: 5, channels: 3 })
    expect(data).toHaveLength(135)
    for (const [i, byte] of data.entries()) expect(Math.abs(byte - [200, 100, 50][i % 3]!)).toBeLessThan(5)
  })
  test("what is no image, and what is damaged, is named", () => {
    const sound = png(2, 2, 1, [1, 2, 3, 4])
    const wrong: [Uint8Array, string][] = [
      [new TextEncoder().encode("GIF89a"), "x is neither PNG nor JPEG by its first bytes"],
      [sound.slice(0, -1), "x is damaged, cut off"],
      [sound.map((byte, i) => (i === 45 ? byte ^ 1 : byte)), "another checksum"],
      [jpeg(8, 8, [1, 2, 3]).slice(0, -2), "its end is missing"],
    ]
    for (const [bytes, message] of wrong) {
      expect(() => decoded(bytes)).toThrow(DataError)
      expect(() => decoded(bytes)).toThrow(message)
    }
  })
})

/** Three pixels of two bits each, and colours of which the third is not used. */
function indexed(): Uint8Array {
  const crc = (body: number[]) => {
    let c = -1
    for (const byte of body) {
      c ^= byte
      for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1
    }
    return ~c >>> 0
  }
  const word = (n: number) => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255]
  const chunk = (type: string, data: number[]) => {
    const body = [...new TextEncoder().encode(type), ...data]
    return [...word(data.length), ...body, ...word(crc(body))]
  }
  return Uint8Array.of(
    ...[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
    ...chunk("IHDR", [...word(3), ...word(1), 2, 3, 0, 0, 0]),
    ...chunk("PLTE", [1, 2, 3, 9, 8, 7, 5, 5, 5]),
    // zlib, stored: one line with filter 0 and the indices 1, 0, 0
    ...chunk("IDAT", [0x78, 0x01, 1, 2, 0, 0xfd, 0xff, 0, 0b01000000, 0x00, 0x42, 0x00, 0x41]),
    ...chunk("IEND", []),
  )
}

describe("resizing", () => {
  const image = (height: number, width: number, data: readonly number[]) =>
    ({ height, width, channels: 1, data: Uint8Array.from(data) }) as const
  const whole = (h: number, w: number) => ({ top: 0, left: 0, height: h, width: w })
  // by hand: half of four pixels has the weights 3/4, 3/4 and 1/4 over 7/4
  const cases: [string, ReturnType<typeof image>, [number, number], number[]][] = [
    ["the same size", image(2, 2, [1, 2, 3, 4]), [2, 2], [1, 2, 3, 4]],
    ["twice as large", image(1, 2, [0, 100]), [1, 4], [0, 25, 75, 100]],
    ["half", image(1, 4, [0, 100, 200, 40]), [1, 2], [71, 117]],
    ["to one pixel", image(2, 2, [0, 100, 200, 100]), [1, 1], [100]],
  ]
  test.each(cases)("%s", (_, from, size, wanted) => {
    expect([...resized(from, size, whole(from.height, from.width))]).toEqual(wanted)
  })
  test("a plane stays one, at any size and part", () => {
    const plane = image(
      9,
      7,
      Array.from({ length: 63 }, () => 77),
    )
    for (const size of [
      [3, 3],
      [20, 5],
      [1, 30],
    ] as const)
      expect(new Set(resized(plane, size, middle(plane, size, 0.7)))).toEqual(new Set([77]))
  })
  test("the middle part has the proportions that are wanted", () => {
    expect(middle({ height: 10, width: 30 }, [1, 1])).toEqual({ height: 10, width: 10, top: 0, left: 10 })
    expect(middle({ height: 10, width: 30 }, [10, 20], 0.5)).toEqual({ height: 5, width: 10, top: 2.5, left: 10 })
  })
  test("grey, colours and mirrors", () => {
    const colours = { height: 1, width: 2, channels: 3, data: Uint8Array.of(255, 0, 0, 10, 20, 30) } as const
    expect([...withChannels(colours, 1).data]).toEqual([76, 18])
    expect([...withChannels(image(1, 2, [5, 6]), 3).data]).toEqual([5, 5, 5, 6, 6, 6])
    expect([...mirrored(colours.data, [1, 2], 3)]).toEqual([10, 20, 30, 255, 0, 0])
  })
})

describe("imageFolder", () => {
  const file = (path: string, bytes: Uint8Array): ImageFile => ({ path, bytes: () => bytes })
  const gradient = png(
    8,
    4,
    1,
    Array.from({ length: 32 }, (_, i) => 30 * (i % 8)),
  )
  const files = [
    file("photos/dog/b.png", png(4, 4, 1, Array(16).fill(255))),
    file("photos/cat/2.PNG", gradient),
    file("photos/cat/1.jpeg", jpeg(6, 6, [0, 0, 0])),
    file("photos/cat/notes.txt", new Uint8Array(3)),
    file("top.png", gradient),
  ]
  test("classes are sorted, images are cut, resized and from 0 to 1", async () => {
    const folder = await imageFolder(files, { size: [4, 4], channels: 1 })
    expect(folder.classes).toEqual(["cat", "dog"])
    expect(folder.files).toEqual(["photos/cat/1.jpeg", "photos/cat/2.PNG", "photos/dog/b.png"])
    expect(folder.forms).toEqual({ x: { shape: [4, 4, 1] }, y: { shape: [], dtype: "i32" } })
    const all = await folder.examples.toArray()
    expect(all.map(({ y }) => y)).toEqual([0, 0, 1])
    expect(all[2]!.x).toEqual(new Float32Array(16).fill(1))
    expect([...all[1]!.x.subarray(0, 4)]).toEqual([60, 90, 120, 150].map(byte => Math.fround(byte / 255))) // the middle four columns
  })
  test("augmented images are others in each epoch, the same for the same seed, in any order", async () => {
    const make = (seed: number) => imageFolder(files, { size: [4, 4], channels: 1, augment: { seed, flip: true, crop: 0.5 } })
    const seen = async (seed: number, epoch: number) => {
      const images: string[] = []
      for await (const { x } of (await make(seed)).examples.epoch(epoch)) images.push(x.join())
      return images
    }
    expect(await seen(1, 1)).toEqual(await seen(1, 1))
    const gradients = await Promise.all(Array.from({ length: 20 }, (_, epoch) => seen(1, epoch).then(images => images[1]!)))
    expect(new Set(gradients).size).toBeGreaterThan(15)
    const rising = gradients.map(text => text.split(",").map(Number)).filter(([a, , , d]) => a! < d!).length
    expect(rising).toBeGreaterThan(3)
    expect(rising).toBeLessThan(17)
    const shuffled: string[] = []
    for await (const { x } of (await make(1)).examples.shuffle({ seed: 3 }).epoch(2)) shuffled.push(x.join())
    const inOrder = await seen(1, 2)
    expect(shuffled).toEqual(Array.from(shuffle(3, 3, 2), i => inOrder[i]))
  })
  test("a damaged image is named, or skipped and counted", async () => {
    const broken = [...files, file("photos/dog/a.png", gradient.slice(0, 40))]
    const folder = await imageFolder(broken, { size: [4, 4] })
    await expect(folder.examples.toArray()).rejects.toThrow(/^photos\/dog\/a\.png is damaged/)
    const some = await imageFolder(broken, { size: [4, 4], damaged: "skip" })
    expect(some.skipped).toEqual(["photos/dog/a.png"])
    expect(await some.examples.toArray()).toHaveLength(3)
    await expect(imageFolder([broken.at(-1)!], { size: [4, 4], damaged: "skip" })).rejects.toThrow("None of the 1 image can be read")
  })
  test("says what is wrong", async () => {
    const cases: [() => Promise<unknown>, new (message: string) => Error, string][] = [
      [() => imageFolder([], { size: [2, 2] }), DataError, "wanted a folder for each class"],
      [() => imageFolder("nowhere/photos", { size: [2, 2] }), DataError, "Cannot read nowhere/photos"],
      [() => imageFolder(files, { size: [2, 0] }), TypeError, "size wants height and width"],
      [() => imageFolder(files, { size: [2, 2], channels: 2 as never }), TypeError, "channels wants 1"],
      [() => imageFolder(files, { size: [2, 2], augment: { seed: 1, crop: 0 } }), TypeError, "crop wants a share"],
    ]
    for (const [make, type, message] of cases) {
      const error = (await make().catch(e => e)) as Error
      expect(error).toBeInstanceOf(type)
      expect(error.message).toContain(message)
    }
  })
})
