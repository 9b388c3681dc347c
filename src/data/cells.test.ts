import { expect, test } from "vitest"
import { numberOf } from "./cells.ts"
import { draws } from "./split.ts"

/** What cells mean by definition. */
function meaning(cell: string): number {
  const isNumber = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(cell) && Number.isFinite(Number(cell))
  return isNumber ? Number(cell) : Number.NaN
}

test("numbers are read to the last bit, and nothing else is one", () => {
  const draw = draws(1, 0, 0)
  const random = Array.from({ length: 20_000 }, () => {
    const characters = draw(2) ? "0123456789." : "0123456789.+-eE, "
    return Array.from({ length: draw(21) }, () => characters[draw(characters.length)]).join("")
  })
  const chosen = [
    "",
    "-",
    ".",
    "+.",
    "-0",
    "-0.0",
    "1.",
    ".5",
    "1e400",
    "9007199254740993",
    "999999999999999",
    "0.000000000000001",
    "1_0",
    "0x1",
  ]
  for (const cell of [...chosen, ...random]) {
    expect(numberOf(cell, "."), cell).toBe(meaning(cell))
    expect(numberOf(cell, ","), cell).toBe(meaning(cell.replace(",", ".")))
  }
})
