// Packing: a block of an operand is copied to where the tiles read it front to back.
//
// A panel holds, for one k after the other, two vectors of neighbours: columns of b, or rows of a. Which of the two makes no
// difference here, so they are called lanes.
import type { FloatType } from "../../ir/expr.ts"
import { integers, move, numbers, params, pushElement, setRest, words } from "./gemm-locals.ts"
import type { Code, Local, WasmModule } from "./wasm-bytes.ts"
import { byteSize } from "./wasm-ops.ts"

const vectorBytes = 16
/** Bytes of a panel for one k. */
export const panelBytes: number = 2 * vectorBytes
const vectorLanes = (t: FloatType): number => vectorBytes / byteSize(t)
export const panelLanes = (t: FloatType): number => panelBytes / byteSize(t)

/**
 * `pack(from, step, lane, depth, lanes, to)`: `depth` elements of each of `lanes` lanes as panels. From one k to the next it is
 * `step` bytes, from a lane to its neighbour `lane` bytes. What is missing in the last panel is filled up, as the numbers that happen
 * to be there may be slow to compute with.
 */
export function addPack(module: WasmModule, t: FloatType): number {
  const vector = module.function(undefined, numbers(6), code => writePackVector(code, t))
  return module.function(undefined, numbers(6), code => writePack(code, t, vector))
}

function writePack(code: Code, t: FloatType, vector: number): void {
  const size = byteSize(t)
  const { from, step, lane, depth, lanes, to } = params("from step lane depth lanes to")
  const { j, at, end, last } = integers(code, "j at end last")
  const zero = code.local("v128") // as locals are until they are set
  code.for(j, lanes, panelLanes(t), () => {
    setRest(code, last, lanes, j, panelLanes(t))
    pushElement(code, from, j, lane).set(at)
    code.get(to, depth).i32(panelBytes).op("i32.mul", "i32.add").set(end)
    code.get(last).i32(panelLanes(t)).op("i32.eq").get(lane).i32(size).op("i32.eq", "i32.and")
    code.advance(last, -1)
    code.if(
      () =>
        code.loop(() => {
          for (const half of [0, vectorBytes]) code.get(to, at).memory("v128.load", half).memory("v128.store", half)
          move(code, at, step)
          code.advance(to, panelBytes).get(to, end).op("i32.lt_u").brIf(0)
        }),
      () => {
        code.get(at, step, lane, depth, last, to).call(vector)
        code.advance(to, vectorBytes).advance(last, -vectorLanes(t)).get(last).i32(0).op("i32.ge_s")
        code.if(
          () => {
            code.get(at, lane).i32(vectorLanes(t)).op("i32.mul", "i32.add")
            code.get(step, lane, depth, last, to).call(vector)
          },
          () =>
            code.loop(() => {
              code.get(to, zero).memory("v128.store")
              code.advance(to, panelBytes).get(to, end).op("i32.lt_u").brIf(0)
            }),
        )
        code.get(end).set(to)
      },
    )
  })
}

/** One vector of a panel. A vector of lanes that are fewer repeats the last. */
function writePackVector(code: Code, t: FloatType): void {
  const { from, step, lane, depth, last } = params("from step lane depth last to")
  const n = vectorLanes(t)
  const sources = [from, ...Array.from({ length: n - 1 }, () => code.local("i32"))]
  for (let l = 1; l < n; l++) {
    code.get(sources[l - 1]!)
    code.get(lane).i32(0).get(last).i32(l).op("i32.ge_s", "select", "i32.add").set(sources[l]!)
  }
  code.get(step).i32(byteSize(t)).op("i32.eq").get(depth).i32(n).op("i32.ge_s", "i32.and")
  code.if(
    () => transposeSquares(code, t, sources),
    () => gatherElements(code, t, sources),
  )
}

/** Lanes in which steps of k are neighbours: as many of these as a vector has lanes are turned at once. */
function transposeSquares(code: Code, t: FloatType, sources: readonly Local[]): void {
  const { depth, to } = params("from step lane depth last to")
  const { i, k, at, end } = integers(code, "i k at end")
  const n = vectorLanes(t)
  const vectors = sources.map(() => code.local("v128"))
  const square = (ahead: number): void => {
    // k = min(i + ahead, end): the last squares overlap, so that all are whole
    code.get(i).i32(ahead).op("i32.add").tee(k).get(end, k, end).op("i32.lt_s", "select").tee(k)
    code.i32(byteSize(t)).op("i32.mul").set(at)
    for (const [l, v] of vectors.entries()) code.get(sources[l]!, at).op("i32.add").memory("v128.load").set(v)
    code.get(to, k).i32(panelBytes).op("i32.mul", "i32.add").set(at)
    for (const [j, v] of transposed(code, t, vectors).entries()) code.get(at, v).memory("v128.store", j * panelBytes)
  }
  code.get(depth).i32(n).op("i32.sub").set(end)
  code.for(i, depth, 2 * n, () => {
    square(0)
    square(n)
  })
}

function gatherElements(code: Code, t: FloatType, sources: readonly Local[]): void {
  const { step, depth, to } = params("from step lane depth last to")
  const { i, at } = integers(code, "i at")
  const bits = t === "f32" ? 32 : 64
  const vector = code.local("v128")
  code.i32(0).set(at)
  code.for(i, depth, 1, () => {
    for (const [l, source] of sources.entries()) {
      code.get(source, at).op("i32.add")
      if (l === 0) code.memory(`v128.load${bits}_splat`).set(vector)
      else code.get(vector).memoryLane(`v128.load${bits}_lane`, 0, l).set(vector)
    }
    code.get(to, vector).memory("v128.store")
    move(code, at, step)
    code.advance(to, panelBytes)
  })
}

/** A square matrix in registers, turned. */
function transposed(code: Code, t: FloatType, [p, q, r, s]: readonly Local[]): readonly Local[] {
  const shuffled = (x: Local, y: Local, picks: readonly number[]): Local => {
    const to = code.local("v128")
    code.get(x, y).shuffle(words(picks)).set(to)
    return to
  }
  const halves = (x: Local, y: Local): Local[] => [shuffled(x, y, [0, 1, 4, 5]), shuffled(x, y, [2, 3, 6, 7])]
  if (t === "f64") return halves(p!, q!)
  const low = halves(shuffled(p!, q!, [0, 4, 1, 5]), shuffled(r!, s!, [0, 4, 1, 5]))
  const high = halves(shuffled(p!, q!, [2, 6, 3, 7]), shuffled(r!, s!, [2, 6, 3, 7]))
  return [...low, ...high]
}
