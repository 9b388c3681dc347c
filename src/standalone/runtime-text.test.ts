import { expect, test } from "vitest"
import { runtimeFile } from "../../scripts/standalone.ts"

test("the code of modules as text is what its sources give", async () => {
  await expect(await runtimeFile(), "out of date: run `npm run standalone`").toMatchFileSnapshot("runtime-text.ts")
})
