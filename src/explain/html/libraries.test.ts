// Without the optional packages it is said how to get them.
import { afterEach, expect, test, vi } from "vitest"
import { explain } from "../../explain.ts"
import { mul, type Tensor, tensor } from "../../index.ts"

const e = explain((w: Tensor) => mul(w, w), [tensor(3)], { of: "0" })
const packages = ["katex", "@dagrejs/dagre"] as const
afterEach(() => {
  for (const name of packages) vi.doUnmock(name)
})

/** Renderers that find all packages but one. */
async function without(name: string): Promise<typeof import("./page.ts")> {
  vi.resetModules()
  vi.doMock(name, () => {
    throw new Error("Cannot find package")
  })
  return await import("./page.ts")
}

test.each(packages)("a page without %s says what to install", async name => {
  const { renderHtml } = await without(name)
  const error = await renderHtml(e).catch((error: Error) => error)
  expect(error).toBeInstanceOf(Error)
  expect((error as Error).message).toBe("npm install katex @dagrejs/dagre")
})
test("the graph needs dagre alone", async () => {
  expect(await (await without("katex")).renderSvg(e)).toContain("</svg>")
  const { renderSvg } = await without("@dagrejs/dagre")
  await expect(renderSvg(e)).rejects.toThrow(/^npm install katex @dagrejs\/dagre$/)
})
