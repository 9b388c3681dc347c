// The examples run, and print what their comments say.
import { readdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { format } from "node:util"
import { expect, test, vi } from "vitest"

const folder = resolve(import.meta.dirname, "../examples")
const files = readdirSync(folder).filter(name => name.endsWith(".ts"))

const outputs = new Map<string, string>()

/** What an example prints; it runs once. */
async function printed(file: string): Promise<string> {
  if (!outputs.has(file)) {
    const lines: string[] = []
    const log = vi.spyOn(console, "log").mockImplementation((...args) => void lines.push(format(...args)))
    await import(join(folder, file))
    log.mockRestore()
    outputs.set(file, lines.join("\n"))
  }
  return outputs.get(file)!
}

/** Parts of what each prints, in order. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  "01-gradient.ts": ["[1.081, -2.615, -5.467]", "[[-8.667]]", "[-6]", "12"],
  "02-worked-example.ts": [
    "dE/dw1 = dE/dy · dy/ds · ds/dw1 = 0.8443521 · 0.1098605 · 0.1 = 0.009276093",
    "[ 'dE/dy', 0.8443521434846544 ]",
  ],
  "03-xor.ts": ["50 ", "200 ", "Tensor i32[4] [0, 1, 1, 0]"],
  "04-own-loop.ts": ["step 250: loss 0.00", "step 1000: loss 0.000"],
  "05-mnist-cnn.ts": [
    "layers.0  conv2d   [28, 28, 16]     416",
    "total                            215370",
    "epoch 3: loss 0.",
    "test accuracy 9",
  ],
}
process.env.ROWS = "2000" // of the digits: all of them take minutes

test("every example is run here", () => {
  expect(files.sort()).toEqual(Object.keys(EXPECTED))
})

test.each(files)("%s", async file => {
  const text = await printed(file)
  let at = 0
  for (const part of EXPECTED[file]!) {
    const found = text.indexOf(part, at)
    expect(found, `${JSON.stringify(part)} in\n${text}`).toBeGreaterThanOrEqual(0)
    at = found + part.length
  }
})

test("comments of the first example are what it prints", async () => {
  const promised = [...readFileSync(join(folder, "01-gradient.ts"), "utf8").matchAll(/ \/\/ .*?((?:Tensor|\{ w).*)$/gm)].map(m => m[1]!)
  const text = await printed("01-gradient.ts")
  expect(promised).toHaveLength(3)
  for (const line of promised) expect(text).toContain(line)
})
