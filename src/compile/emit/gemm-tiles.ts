// Tiles of C in registers: the loops in which a matrix product spends its time.
import type { FloatType } from "../../ir/expr.ts"
import { integers, move, numbers, params, pushRounded, words } from "./gemm-locals.ts"
import type { Code, Local, WasmModule } from "./wasm-bytes.ts"
import { byteSize } from "./wasm-ops.ts"

const vectorBytes = 16

/** Rows of a tile, and vectors in each of them. */
export interface Tile {
  readonly rows: number
  readonly vectors: number
}
const tileBytes = (tile: Tile): number => tile.vectors * vectorBytes

/**
 * `cover(a, aStep, depth, b, bStep, bNext, c, cRow, cColumn, rows, columns, adds, buffer)`: as many tiles as cover `rows` rows and
 * `columns` columns of C, whose neighbours are `cRow` and `cColumn` bytes apart. The rows of A are neighbours in memory, and so are
 * the columns of a tile in B; from one k to the next they move by `aStep` (not 0) and `bStep` bytes, and from a tile to the one
 * beside it B moves by `bNext`. `buffer` has room for all these tiles.
 */
export function addTiles(module: WasmModule, t: FloatType, tile: Tile, copy: number, relaxed: boolean): number {
  const tiles = module.function(undefined, numbers(11), code => writeTiles(code, t, tile, relaxed))
  return module.function(undefined, numbers(13), code => writeCover(code, t, tile, tiles, copy))
}

/** What is made of whole tiles is computed in place, all other parts of C in the buffer. */
function writeCover(code: Code, t: FloatType, tile: Tile, tiles: number, copy: number): void {
  const size = byteSize(t)
  const { a, aStep, depth, b, bStep, bNext, c, cRow, cColumn, rows, columns, adds, buffer } = params(
    "a aStep depth b bStep bNext c cRow cColumn rows columns adds buffer",
  )
  const { bytes, bufferRow } = integers(code, "bytes bufferRow")
  const compute = (target: Local, row: Local): void => {
    code.get(a, aStep, depth, b, bStep, bNext, target, row, rows)
    code.get(bufferRow).i32(tileBytes(tile)).op("i32.div_u").get(adds).call(tiles)
  }
  code.get(columns).i32(size).op("i32.mul").set(bytes)
  pushRounded(code, bytes, tileBytes(tile)).set(bufferRow)
  code.get(cColumn).i32(size).op("i32.eq").get(bytes, bufferRow).op("i32.eq", "i32.and")
  pushRounded(code, rows, tile.rows).get(rows).op("i32.eq", "i32.and")
  code.if(
    () => compute(c, cRow),
    () => {
      code.get(adds).if(() => code.get(c, cRow, cColumn, buffer, bufferRow).i32(size).get(rows, columns).call(copy))
      compute(buffer, bufferRow)
      code.get(buffer, bufferRow).i32(size).get(c, cRow, cColumn, rows, columns).call(copy)
    },
  )
}

/** `tiles(a, aStep, depth, b, bStep, bNext, c, cRow, rows, count, adds)`: `count` tiles side by side, below them those of other rows. */
function writeTiles(code: Code, t: FloatType, tile: Tile, relaxed: boolean): void {
  const { a, aStep, depth, b, bStep, bNext, c, cRow, rows, count, adds } = params("a aStep depth b bStep bNext c cRow rows count adds")
  const { span, top, end, at, left, row, column } = integers(code, "span top end at left row column")
  const { sums, step } = registers(code, t, tile, relaxed, row, column)
  const eachSum = (pointer: Local, visit: (sum: Local, offset: number) => void): void => {
    for (const sumsOfRow of sums) {
      for (const [v, sum] of sumsOfRow.entries()) visit(sum, v * vectorBytes)
      move(code, pointer, cRow)
    }
  }
  const zero = code.local("v128") // as locals are until they are set
  code.get(aStep, depth).op("i32.mul").set(span)
  code.loop(() => {
    code.get(a).set(top).get(c).set(at).get(rows).set(left)
    code.loop(() => {
      code.get(adds).if(
        () => eachSum(code.get(at).set(row) && row, (sum, offset) => code.get(row).memory("v128.load", offset).set(sum)),
        () => {
          for (const sum of sums.flat()) code.get(zero).set(sum)
        },
      )
      code.get(b).set(column).get(top).tee(row).get(span).op("i32.add").set(end)
      code.loop(() => {
        step()
        move(code, column, bStep)
        move(code, row, aStep).get(row, end).op("i32.ne").brIf(0)
      })
      eachSum(at, (sum, offset) => code.get(at, sum).memory("v128.store", offset))
      code.advance(top, tile.rows * byteSize(t)).advance(left, -tile.rows)
      code.get(left).i32(0).op("i32.gt_s").brIf(0)
    })
    move(code, b, bNext)
    code.advance(c, tileBytes(tile)).advance(count, -1).get(count).brIf(0)
  })
}

/** The sums of a tile, and the code of one k: at `row` and `column` are its elements of A and B. */
function registers(code: Code, t: FloatType, tile: Tile, relaxed: boolean, row: Local, column: Local) {
  const vector = (): Local => code.local("v128")
  const sums = Array.from({ length: tile.rows }, () => Array.from({ length: tile.vectors }, vector))
  const columns = Array.from({ length: tile.vectors }, vector)
  const [element, lower] = [vector(), vector()]
  const shape = t === "f32" ? "f32x4" : "f64x2"
  /** One element of A in all lanes. The first four are loaded so; for the rest V8 of Node 20 lacks registers. */
  const pushElementOfA = (r: number): void => {
    if (r < 4) code.get(row).memory(t === "f32" ? "v128.load32_splat" : "v128.load64_splat", r * byteSize(t))
    else code.get(lower, lower).shuffle(words([r - 4, r - 4, r - 4, r - 4]))
  }
  const step = (): void => {
    for (const [v, vectorOfB] of columns.entries())
      code
        .get(column)
        .memory("v128.load", v * vectorBytes)
        .set(vectorOfB)
    if (tile.rows > 4) code.get(row).memory("v128.load", vectorBytes).set(lower)
    for (const [r, sumsOfRow] of sums.entries()) {
      pushElementOfA(r)
      code.set(element)
      for (const [v, sum] of sumsOfRow.entries()) {
        if (relaxed) code.get(element, columns[v]!, sum).op(`${shape}.relaxed_madd`).set(sum)
        else code.get(sum, element, columns[v]!).op(`${shape}.mul`, `${shape}.add`).set(sum)
      }
    }
  }
  return { sums, step }
}

/** `copy(from, fromRow, fromColumn, to, toRow, toColumn, rows, columns)`: part of a matrix, column by column of vectors. */
export const addCopy = (module: WasmModule, t: FloatType): number => module.function(undefined, numbers(8), code => writeCopy(code, t))

function writeCopy(code: Code, t: FloatType): void {
  const size = byteSize(t)
  const { from, fromRow, fromColumn, to, toRow, toColumn, rows, columns } = params("from fromRow fromColumn to toRow toColumn rows columns")
  const { left, i, source, target } = integers(code, "left i source target")
  const column = (type: "v128" | FloatType): void => {
    code.get(from).set(source).get(to).set(target)
    code.for(i, rows, 1, () => {
      code.get(target, source).memory(`${type}.load`).memory(`${type}.store`)
      move(code, source, fromRow)
      move(code, target, toRow)
    })
  }
  const part = (bytes: number, type: "v128" | FloatType): void => {
    column(type)
    code.advance(from, bytes).advance(to, bytes).advance(left, -bytes)
  }
  code.get(fromColumn).i32(size).op("i32.eq").get(toColumn).i32(size).op("i32.eq", "i32.and")
  code.if(
    () => {
      code.get(columns).i32(size).op("i32.mul").set(left)
      code.block(() =>
        code.loop(() => {
          code.get(left).i32(vectorBytes).op("i32.lt_s").brIf(1)
          part(vectorBytes, "v128")
          code.i32(1).brIf(0)
        }),
      )
      code
        .get(left)
        .i32(8)
        .op("i32.ge_s")
        .if(() => part(8, "f64"))
      if (t === "f32") code.get(left).if(() => part(4, "f32"))
    },
    () =>
      code.for(left, columns, 1, () => {
        column(t)
        move(code, from, fromColumn)
        move(code, to, toColumn)
      }),
  )
}
