import { test } from "vitest"
import { interpret } from "/work/main/src/compile/emit/testing/interpret.ts"
import { randomKernel, randomNumbers } from "/work/main/src/compile/emit/testing/random-kernels.ts"
import { runWasm } from "/work/main/src/compile/emit/testing/run-wasm.ts"
import { kernelKind } from "/work/main/src/compile/emit/wasm.ts"

const idx = (i: any): string =>
  [
    i.constant,
    ...i.terms.map(
      ([a, c]: any) => `${c}*${a.k === "axis" ? "i" + a.axis.id : a.k === "value" ? `[${show(a.expr)}]` : `(${idx(a.of)})${a.k}${a.by}`}`,
    ),
  ].join("+")
const show = (e: any): string =>
  e.k === "const"
    ? `${e.value}`
    : e.k === "load"
      ? `r${e.slot}${e.t}[${idx(e.at)}]`
      : e.k === "index"
        ? `<${idx(e.at)}>`
        : e.k === "op"
          ? `${e.op}.${e.t}(${e.args.map(show)})`
          : e.k === "guard"
            ? `guard(${e.bounds.map((b: any) => `${idx(b.i)}<${b.n}`)}: ${show(e.body)})`
            : `${e.op}${e.lanes}(${e.over.map((a: any) => `i${a.id}<${a.n}`)}: ${show(e.body)})`
test("x", () => {
  let bad = 0
  const kinds: any = {}
  const same = (a: any, b: any) => {
    for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false
    return true
  }
  for (let seed = 1; seed <= +(process.env.N ?? 1500); seed++) {
    const { kernel, operands, out } = randomKernel(randomNumbers(seed))
    kinds[kernelKind(kernel)] = (kinds[kernelKind(kernel)] ?? 0) + 1
    const want = out.slice()
    interpret(kernel, operands, want)
    let err: any = ""
    let got: any = []
    try {
      got = runWasm(kernel, operands, out)
      if (!same(got, want)) err = "DIFF"
    } catch (e) {
      err = e
    }
    if (err) {
      bad++
      if (bad <= 4)
        console.log(
          seed,
          kernelKind(kernel),
          String(err).slice(0, 200),
          "\n",
          kernel.axes.map(a => `i${a.id}<${a.n}`).join(),
          `out.${kernel.out.t}[${idx(kernel.out.at)}] ${kernel.out.mode} ${kernel.out.bounds.map((b: any) => `${idx(b.i)}<${b.n}`)} =`,
          show(kernel.body).slice(0, 1500),
          "\n",
          String([...want].slice(0, 20)),
          "\n",
          String([...got].slice(0, 20)),
        )
    }
  }
  console.log("bad", bad, kinds)
})
