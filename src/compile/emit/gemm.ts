// Matrix products: a library function for any sizes and strides.
//
// B is packed into panels of a few columns, block by block of k, so that a tile of C stays in registers while the panel
// streams past (Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008). Every block of k starts from
// what the one before it left in C: each element is one sum in the order of k, whatever the sizes.
import type { FloatType } from "../../ir/expr.ts"
import type { Gemm } from "./gemm-match.ts"
import type { Code, Local, ValueType, WasmModule } from "./wasm-bytes.ts"
import { byteSize } from "./wasm-ops.ts"

/** Rows of a register tile. */
const tileRows = 4
/** Bytes of a row of a tile: two vectors. */
const tileRow = 32
const tileBytes = tileRows * tileRow
/** Block sizes: k and rows so that a panel and the rows that meet it stay in the caches, columns so that scratch is bounded. */
const blockK = 256
const blockRows = 128
const panelBytes = 512 * 1024
const tileColumns = (t: FloatType): number => tileRow / byteSize(t)
const blockColumns = (t: FloatType): number => panelBytes / blockK / byteSize(t)

export function gemmScratch({ t, n, k }: Gemm): number {
  const columns = Math.ceil(n.n / tileColumns(t)) * tileColumns(t)
  return tileBytes + Math.min(k.n, blockK) * Math.min(columns, blockColumns(t)) * byteSize(t)
}

const numbers = (n: number): ValueType[] => Array(n).fill("i32")

/**
 * Parameters of the library function `gemm_f32` or `gemm_f64`: sizes m, n, k; then the address of a and how many bytes apart its
 * rows and columns are; the same of b and of c; then scratch memory, and whether c is added to (1) or written (0).
 */
const gemmParams = numbers(14)
export const importGemm = (module: WasmModule, t: FloatType): number => module.import(`gemm_${t}`, gemmParams)

/** The library function and its parts. */
export function addGemm(module: WasmModule, t: FloatType, relaxed: boolean): void {
  const micro = module.function(undefined, numbers(10), code => writeMicro(code, t, relaxed))
  const tile = module.function(undefined, numbers(12), code => writeTile(code, t, micro))
  const pack = module.function(undefined, numbers(6), code => writePack(code, t))
  module.function(`gemm_${t}`, gemmParams, code => writeGemm(code, t, tile, pack))
}

type Words<S> = S extends `${infer First} ${infer Rest}` ? First | Words<Rest> : S
/** Locals by their names. */
const named = <S extends string>(names: S, local: (i: number) => Local): Record<Words<S>, Local> =>
  Object.fromEntries(names.split(" ").map((name, i) => [name, local(i)])) as Record<Words<S>, Local>
const params = <S extends string>(names: S): Record<Words<S>, Local> => named(names, i => i)
const integers = <S extends string>(code: Code, names: S): Record<Words<S>, Local> => named(names, () => code.local("i32"))

/** to = min(end - start, limit) */
function setRest(code: Code, to: Local, end: Local, start: Local, limit: number): void {
  code.get(end, start).op("i32.sub").tee(to).i32(limit).get(to).i32(limit).op("i32.lt_s", "select").set(to)
}
/** base + i * stride, all of them locals. */
const pushElement = (code: Code, base: Local, i: Local, stride: Local): Code => code.get(base, i, stride).op("i32.mul", "i32.add")

function writeGemm(code: Code, t: FloatType, tile: number, pack: number): void {
  const { m, n, k, a, aRow, aColumn, b, bRow, bColumn, c, cRow, cColumn, scratch, adds } = params(
    "m n k a aRow aColumn b bRow bColumn c cRow cColumn scratch adds",
  )
  const { j0, k0, i0, j, i, width, depth, height, panels, panel, more, bBlock, aBlock, cBlock, rows, columns } = integers(
    code,
    "j0 k0 i0 j i width depth height panels panel more bBlock aBlock cBlock rows columns",
  )
  code.get(scratch).i32(tileBytes).op("i32.add").set(panels)
  code.for(j0, n, blockColumns(t), () => {
    setRest(code, width, n, j0, blockColumns(t))
    code.get(adds).set(more)
    code.for(k0, k, blockK, () => {
      setRest(code, depth, k, k0, blockK)
      pushElement(code, b, k0, bRow).set(bBlock)
      pushElement(code, bBlock, j0, bColumn).get(bRow, bColumn, depth, width, panels).call(pack)
      code.for(i0, m, blockRows, () => {
        setRest(code, height, m, i0, blockRows)
        pushElement(code, a, i0, aRow).set(aBlock)
        pushElement(code, aBlock, k0, aColumn).set(aBlock)
        pushElement(code, c, i0, cRow).set(cBlock)
        pushElement(code, cBlock, j0, cColumn).set(cBlock)
        code.get(panels).set(panel)
        code.for(j, width, tileColumns(t), () => {
          setRest(code, columns, width, j, tileColumns(t))
          code.for(i, height, tileRows, () => {
            setRest(code, rows, height, i, tileRows)
            pushElement(code, aBlock, i, aRow).get(aRow, aColumn, panel, depth)
            pushElement(code, cBlock, i, cRow).get(j, cColumn).op("i32.mul", "i32.add")
            code.get(cRow, cColumn, rows, columns, more, scratch).call(tile)
          })
          code.get(panel, depth).i32(tileRow).op("i32.mul", "i32.add").set(panel)
        })
      })
      code.i32(1).set(more)
    })
  })
}

/** Copies `depth` rows and `width` columns of b into panels of a tile's width, the last one filled up with zeros. */
function writePack(code: Code, t: FloatType): void {
  const size = byteSize(t)
  const { b, row, column, depth, width, to } = params("b row column depth width to")
  const { j, i, l, from, end, columns, at } = integers(code, "j i l from end columns at")
  code.for(j, width, tileColumns(t), () => {
    setRest(code, columns, width, j, tileColumns(t))
    pushElement(code, b, j, column).set(from)
    code.get(to, depth).i32(tileRow).op("i32.mul", "i32.add").set(end)
    code.get(columns).i32(tileColumns(t)).op("i32.eq").get(column).i32(size).op("i32.eq", "i32.and")
    code.if(
      () =>
        code.loop(() => {
          for (const half of [0, 16]) code.get(to, from).memory("v128.load", half).memory("v128.store", half)
          code.get(from, row).op("i32.add").set(from)
          code.advance(to, tileRow).get(to, end).op("i32.lt_u").brIf(0)
        }),
      () => {
        code.for(l, columns, 1, () => {
          pushElement(code, from, l, column).set(at)
          code.for(i, depth, 1, () => {
            code.get(to, i).i32(tileRow).op("i32.mul", "i32.add")
            code.get(at).memory(`${t}.load`).memory(`${t}.store`)
            code.get(at, row).op("i32.add").set(at)
          })
          code.advance(to, size)
        })
        // The columns that are left: `to` stands at the first of them.
        code.get(columns).i32(tileColumns(t)).op("i32.lt_s")
        code.if(() => {
          code.for(i, depth, 1, () => {
            code.get(to, i).i32(tileRow).op("i32.mul", "i32.add").set(at)
            code.get(columns).set(l)
            code.loop(() => {
              code.get(at)[t](0).memory(`${t}.store`)
              code.advance(at, size).advance(l, 1).get(l).i32(tileColumns(t)).op("i32.lt_s").brIf(0)
            })
          })
        })
        code.get(end).set(to)
      },
    )
  })
}

/** One tile of C. Where C is not a whole tile of neighbours, it is computed in a buffer; rows that are not there repeat the last. */
function writeTile(code: Code, t: FloatType, micro: number): void {
  const size = byteSize(t)
  const { a, aRow, aColumn, b, depth, c, cRow, cColumn, rows, columns, more, buffer } = params(
    "a aRow aColumn b depth c cRow cColumn rows columns more buffer",
  )
  const { a1, a2, a3, i, j, inside, outside, target, targetRow } = integers(code, "a1 a2 a3 i j inside outside target targetRow")
  for (const [before, to, row] of [
    [a, a1, 1],
    [a1, a2, 2],
    [a2, a3, 3],
  ] as const) {
    code.get(before, aRow).op("i32.add").get(before).get(rows).i32(row).op("i32.gt_s", "select").set(to)
  }
  const compute = (): Code => code.get(a, a1, a2, a3, aColumn, b, depth, target, targetRow, more).call(micro)
  const copy = (write: () => void): void => {
    code.for(i, rows, 1, () => {
      code.get(buffer, i).i32(tileRow).op("i32.mul", "i32.add").set(inside)
      pushElement(code, c, i, cRow).set(outside)
      code.for(j, columns, 1, () => {
        write()
        code.advance(inside, size).get(outside, cColumn).op("i32.add").set(outside)
      })
    })
  }
  code.get(rows).i32(tileRows).op("i32.eq").get(columns).i32(tileColumns(t)).op("i32.eq", "i32.and")
  code.get(cColumn).i32(size).op("i32.eq", "i32.and")
  code.if(
    () => {
      code.get(c).set(target).get(cRow).set(targetRow)
      compute()
    },
    () => {
      code.get(buffer).set(target).i32(tileRow).set(targetRow)
      code.get(more).if(() => copy(() => code.get(inside, outside).memory(`${t}.load`).memory(`${t}.store`)))
      compute()
      copy(() => code.get(outside, inside).memory(`${t}.load`).memory(`${t}.store`))
    },
  )
}

/** A tile of C in registers. The loop is not unrolled: that is the fastest form on all versions of V8. */
function writeMicro(code: Code, t: FloatType, relaxed: boolean): void {
  const { a0, a1, a2, a3, aColumn, b, depth, c, cRow, more } = params("a0 a1 a2 a3 aColumn b depth c cRow more")
  const rows = [a0, a1, a2, a3]
  const { end, at } = integers(code, "end at")
  const halves = [0, 16]
  const vector = (): Local => code.local("v128")
  const sums = rows.map(() => halves.map(vector))
  const columns = halves.map(vector)
  const element = vector()
  const shape = t === "f32" ? "f32x4" : "f64x2"
  const eachHalf = (visit: (sum: Local, offset: number) => void): void => {
    code.get(c).set(at)
    for (const row of sums) {
      halves.forEach((offset, h) => {
        visit(row[h]!, offset)
      })
      code.get(at, cRow).op("i32.add").set(at)
    }
  }
  code.get(more).if(() => eachHalf((sum, offset) => code.get(at).memory("v128.load", offset).set(sum)))
  code.get(b, depth).i32(tileRow).op("i32.mul", "i32.add").set(end)
  code.loop(() => {
    halves.forEach((offset, h) => {
      code.get(b).memory("v128.load", offset).set(columns[h]!)
    })
    rows.forEach((row, r) => {
      code
        .get(row)
        .memory(t === "f32" ? "v128.load32_splat" : "v128.load64_splat")
        .set(element)
      sums[r]!.forEach((sum, h) => {
        if (relaxed) code.get(element, columns[h]!, sum).op(`${shape}.relaxed_madd`).set(sum)
        else code.get(sum, element, columns[h]!).op(`${shape}.mul`, `${shape}.add`).set(sum)
      })
      code.get(row, aColumn).op("i32.add").set(row)
    })
    code.advance(b, tileRow).get(b, end).op("i32.lt_u").brIf(0)
  })
  eachHalf((sum, offset) => code.get(at, sum).memory("v128.store", offset))
}
