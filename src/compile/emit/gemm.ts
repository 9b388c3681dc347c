// Matrix products: a library function for any sizes and strides.
//
// Blocks of B and strips of A are packed, so that tiles of C stay in registers while both stream past (Goto and van de Geijn,
// "Anatomy of High-Performance Matrix Multiplication", 2008). Every block of k starts from what the one before it left in C: each
// element is one sum in the order of k, whatever the sizes. Figures and what was dropped: docs/notes/02-gemm.md.
import type { FloatType } from "../../ir/expr.ts"
import { blasName, blasParams } from "./gemm-blas.ts"
import { integers, move, numbers, params, pushElement, pushRounded, setRest } from "./gemm-locals.ts"
import type { Gemm } from "./gemm-match.ts"
import { addPack, panelBytes, panelLanes } from "./gemm-pack.ts"
import { addCopy, addTiles, type Tile } from "./gemm-tiles.ts"
import type { Code, Local, WasmModule } from "./wasm-bytes.ts"
import { byteSize } from "./wasm-ops.ts"

/**
 * Eight sums are as many as hide the latency of an addition, and as many as every version of V8 keeps in registers. The tall tile is
 * for a last column of vectors, where the wide one would compute two. With f64 a panel of A has no eight rows, and a half-used tile
 * wastes but two columns.
 */
const wide: Tile = { rows: 4, vectors: 2 }
const tall: Tile = { rows: 8, vectors: 1 }
/** Most of a block of k: a strip of A and a panel of B fit into the first cache together. */
export const blockK = 256
/** Most of a block of B, which stays in the second cache while all strips of A pass by. */
const blockBytes = 256 * 1024
/** What of an operand stays in the first cache without being packed. */
const directBytes = 16 * 1024
/** Rows of A that are too few to make up for packing B. */
const directRows = 8

export const blockColumns = (t: FloatType): number => blockBytes / blockK / byteSize(t)

/** Bytes of scratch memory: a strip of A, a strip of C, and a block of B. */
export function gemmScratch({ t, n, k }: Gemm): number {
  const columns = Math.min(Math.ceil(n.n / panelLanes(t)) * panelLanes(t), blockColumns(t))
  const depth = Math.ceil(k.n / Math.ceil(k.n / blockK))
  return panelBytes * (depth + columns) + depth * columns * byteSize(t)
}

/** Bytes of all of B as `pack_f32` or `pack_f64` leaves it. */
export const packedBytes = ({ t, n, k }: Gemm): number => k.n * Math.ceil(n.n / panelLanes(t)) * panelBytes

/**
 * Parameters of the library function `gemm_f32` or `gemm_f64`: sizes m, n, k, none of them 0; then the address of a and how many bytes
 * apart its rows and columns are; the same of b and of c; then scratch memory, whether c is added to (1) or written (0), and the address
 * of all of b as the library packs it, or 0.
 */
const gemmParams = numbers(15)
/** Parameters of `pack_f32` and `pack_f64`, which pack all of b for many products: n, k, address, bytes from row to row and from column to column, and where to. */
const packParams = numbers(6)
/** The functions that kernels call for products of a type. */
export interface Library {
  readonly gemm: number
  readonly pack: number
  /** The product of a BLAS; absent where the machine's is not used. */
  readonly blas?: number
  /** Whether the BLAS is asked for this product. */
  asks(gemm: Gemm): boolean
}
export function importLibrary(module: WasmModule, t: FloatType, products: readonly Gemm[], asks: (gemm: Gemm) => boolean): Library {
  const library = { gemm: module.import(`gemm_${t}`, gemmParams), pack: module.import(`pack_${t}`, packParams), asks }
  return products.some(asks) ? { ...library, blas: module.import(blasName(t), blasParams) } : library
}

/** The library functions and their parts. */
export function addGemm(module: WasmModule, t: FloatType, relaxed: boolean): void {
  const copy = addCopy(module, t)
  const parts: Parts = {
    pack: addPack(module, t),
    wide: addTiles(module, t, wide, copy, relaxed),
    tall: t === "f32" ? addTiles(module, t, tall, copy, relaxed) : undefined,
  }
  module.function(`gemm_${t}`, gemmParams, code => writeGemm(code, t, parts))
  module.function(`pack_${t}`, packParams, code => writePackAll(code, t, parts.pack))
}

interface Parts {
  readonly pack: number
  readonly wide: number
  readonly tall: number | undefined
}
type Locals = ReturnType<typeof locals>
const locals = (code: Code) => ({
  ...params("m n k a aRow aColumn b bRow bColumn c cRow cColumn scratch adds packed"),
  /** Where the block is, how large, and whether it adds to C. */
  ...integers(code, "j0 k0 i0 width depth limit rows more buffer panels"),
  /** A strip of A, a block of B, a strip of C. The last columns are a panel of their own. */
  ...integers(code, "aAt aStep bAt bStep bNext bLast cAt whole last"),
})

function writeGemm(code: Code, t: FloatType, parts: Parts): void {
  const l = locals(code)
  code.for(l.j0, l.n, blockColumns(t), () => {
    setRest(code, l.width, l.n, l.j0, blockColumns(t))
    code.get(l.width).i32(-panelLanes(t)).op("i32.and").set(l.whole)
    code.get(l.width, l.whole).op("i32.sub").set(l.last)
    code.get(l.adds).set(l.more)
    eachBlockOfK(code, l, () => {
      placeScratch(code, t, l)
      code.get(l.packed)
      code.if(
        () => {
          code.get(l.packed).set(l.panels)
          takePanels(code, t, l)
          moveBlock(code, t, l.packed, l)
        },
        () => takeBlockOfB(code, t, l, parts.pack),
      )
      code.for(l.i0, l.m, panelLanes(t), () => {
        setRest(code, l.rows, l.m, l.i0, panelLanes(t))
        takeStripOfA(code, t, l, parts.pack)
        writeStripOfC(code, l, parts)
      })
      code.i32(1).set(l.more)
    })
  })
}

/** Blocks follow each other in the order in which products want them. */
function writePackAll(code: Code, t: FloatType, pack: number): void {
  const l = {
    ...params("n k b bRow bColumn to"),
    ...integers(code, "j0 k0 width depth limit bAt"),
  }
  const { n, b, bRow, bColumn, to, j0, k0, width, depth, bAt } = l
  code.for(j0, n, blockColumns(t), () => {
    setRest(code, width, n, j0, blockColumns(t))
    eachBlockOfK(code, l, () => {
      pushElement(code, b, k0, bRow).set(bAt)
      pushElement(code, bAt, j0, bColumn).get(bRow, bColumn, depth, width, to).call(pack)
      moveBlock(code, t, to, l)
    })
  })
}
/** to += the bytes of a packed block */
function moveBlock(code: Code, t: FloatType, to: Local, { width, depth }: Pick<Locals, "width" | "depth">): void {
  pushRounded(code.get(to), width, panelLanes(t)).get(depth).op("i32.mul").i32(byteSize(t)).op("i32.mul", "i32.add").set(to)
}

/** Blocks of about the same size: limit = ceil(k / ceil(k / blockK)). */
function eachBlockOfK(code: Code, { k, k0, depth, limit }: Pick<Locals, "k" | "k0" | "depth" | "limit">, body: () => void): void {
  code
    .get(k)
    .i32(blockK - 1)
    .op("i32.add")
    .i32(blockK)
    .op("i32.div_u")
    .set(limit)
  code.get(k, limit).op("i32.add").i32(1).op("i32.sub").get(limit).op("i32.div_u").set(limit)
  code.i32(0).set(k0)
  code.loop(() => {
    code.get(limit, k, k0).op("i32.sub").tee(depth).get(limit, depth).op("i32.lt_s", "select").set(depth)
    body()
    move(code, k0, depth).get(k0, k).op("i32.lt_s").brIf(0)
  })
}

function placeScratch(code: Code, t: FloatType, { scratch, depth, width, buffer, panels }: Locals): void {
  code.get(scratch, depth).i32(panelBytes).op("i32.mul", "i32.add").set(buffer)
  pushRounded(code.get(buffer), width, panelLanes(t)).i32(panelBytes).op("i32.mul", "i32.add").set(panels)
}

/** Whether neighbours lie side by side, and a block whose steps of k are `step` bytes apart is small. */
function pushDirect(code: Code, t: FloatType, neighbour: Local, depth: Local, step: Local): Code {
  code.get(neighbour).i32(byteSize(t)).op("i32.eq")
  // a step of 0 is none that tiles take
  return code.get(depth, step).op("i32.mul").i32(1).op("i32.sub").i32(directBytes).op("i32.lt_u", "i32.and")
}

function takeBlockOfB(code: Code, t: FloatType, l: Locals, pack: number): void {
  const { m, b, bRow, bColumn, j0, k0, width, depth, whole, last, panels, bAt, bStep, bNext, bLast } = l
  pushElement(code, b, k0, bRow).set(bAt)
  pushElement(code, bAt, j0, bColumn).set(bAt)
  pushDirect(code, t, bColumn, depth, bRow)
  code.get(bColumn).i32(byteSize(t)).op("i32.eq").get(m).i32(directRows).op("i32.le_s", "i32.and", "i32.or")
  code.if(
    () => {
      code.get(bRow).set(bStep).i32(panelBytes).set(bNext).get(panels).set(bLast)
      pushElement(code, bAt, whole, bColumn).get(bRow, bColumn, depth, last, panels).call(pack)
    },
    () => {
      code.get(bAt, bRow, bColumn, depth, width, panels).call(pack)
      takePanels(code, t, l)
    },
  )
}
/** The block of B is at `panels`, packed. */
function takePanels(code: Code, t: FloatType, { panels, depth, whole, bAt, bStep, bNext, bLast }: Locals): void {
  code.get(panels).set(bAt).i32(panelBytes).set(bStep)
  code.get(depth).i32(panelBytes).op("i32.mul").set(bNext)
  code.get(bAt, whole, depth).i32(byteSize(t)).op("i32.mul", "i32.mul", "i32.add").set(bLast)
}

function takeStripOfA(code: Code, t: FloatType, l: Locals, pack: number): void {
  const { a, aRow, aColumn, i0, k0, rows, depth, scratch, aAt, aStep } = l
  pushElement(code, a, i0, aRow).set(aAt)
  pushElement(code, aAt, k0, aColumn).set(aAt)
  pushDirect(code, t, aRow, depth, aColumn).get(rows).i32(panelLanes(t)).op("i32.eq", "i32.and")
  code.if(
    () => code.get(aColumn).set(aStep),
    () => {
      code.get(aAt, aColumn, aRow, depth, rows, scratch).call(pack)
      code.get(scratch).set(aAt).i32(panelBytes).set(aStep)
    },
  )
}

/** All columns of the block but the last few, then those. */
function writeStripOfC(code: Code, l: Locals, { wide, tall }: Parts): void {
  const { c, cRow, cColumn, i0, j0, rows, depth, whole, last, more, buffer, aAt, aStep, bAt, bStep, bNext, bLast, cAt } = l
  pushElement(code, c, i0, cRow).set(cAt)
  pushElement(code, cAt, j0, cColumn).set(cAt)
  const cover = (tiles: number, columns: Local): Code => code.get(cRow, cColumn, rows, columns, more, buffer).call(tiles)
  const coverLast = (tiles: number): Code => {
    pushElement(code.get(aAt, aStep, depth, bLast).i32(panelBytes).i32(0), cAt, whole, cColumn)
    return cover(tiles, last)
  }
  code.get(whole).if(() => {
    code.get(aAt, aStep, depth, bAt, bStep, bNext, cAt)
    cover(wide, whole)
  })
  code.get(last).if(() => {
    if (tall === undefined) coverLast(wide)
    else
      code
        .get(last)
        .i32(4)
        .op("i32.le_s")
        .if(
          () => coverLast(tall),
          () => coverLast(wide),
        )
  })
}
