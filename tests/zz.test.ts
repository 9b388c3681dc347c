import { test } from "vitest"
import { inline } from "../src/compile/inline.ts"
import { lower } from "../src/compile/passes.ts"
import { recorded } from "./engines.ts"
import { randomProgram } from "./random-programs.ts"
import { print } from "../src/graph/print.ts"
import "../src/index.ts"
test("x", () => {
  const c: any = {}
  let nodes = 0, launches = 0, nan = 0, smooth = 0
  for (let s = 1; s <= 500; s++) {
    const q = randomProgram(s)
    if (q.smooth) smooth++
    const { graph } = recorded(q.f, q.args)
    const g = inline(graph)
    nodes += g.nodes.length
    launches += lower(graph).launches.length
    for (const n of g.nodes) c[n.prim.name] = (c[n.prim.name] ?? 0) + 1
    for (const n of graph.nodes) if (n.prim.name === "call") c.call = (c.call ?? 0) + 1
    if (s < 4) console.log(print(graph))
  }
  console.log(nodes / 500, launches / 500, smooth, c)
})
