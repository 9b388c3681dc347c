import type { TrainedModel } from "../train/trained.ts"
import { build } from "./build.ts"
import { base64 } from "./container.ts"
import { declarations } from "./declarations.ts"
import type { Description } from "./description.ts"
import { checked, type StandaloneOptions } from "./options.ts"
import { RUNTIME } from "./runtime-text.ts"

/**
 * A trained model as a JavaScript module that needs nothing else: compiled programs, weights and preprocessing. It runs in browsers,
 * Node, Deno and Bun, without `eval`, so that a page may have the policy `script-src 'self' 'wasm-unsafe-eval'`.
 *
 * The files by name: `model.js`, `model.d.ts` and, with `separate`, `model.wasm`. The module exports `info`; `predict`, which takes
 * one row or a list of rows (numbers; objects by column or pixels where there is an encoding); `outputs`, the last layer's
 * numbers; and with `trainable` also `step(x, y)`, `save()` and `load(bytes)`. Weights and products are f32 of plain SIMD: the bits
 * are those of `predict` and `fit` after `configure({ deterministic: true })`, on every machine.
 *
 * Programs are compiled for one row and for `rows` of them; what is left over of many rows is filled up. A row computed alone may
 * differ in its last bits from the same row among others.
 *
 * @throws TypeError for options that make no sense, and for layers that hand out f16, bf16 or booleans.
 * @example
 * const trained = new TrainedModel(dense(2, 1), { w: tensor([[1], [2]]), b: tensor([0]) }, {}, [2])
 * const files = exportStandalone(trained, { name: "line", trainable: { loss: squaredError, optimizer: adam(0.01) } })
 * const names = [...files.keys()]  // ["line.js", "line.d.ts"]
 */
export function exportStandalone(trained: TrainedModel<any>, options: StandaloneOptions = {}): Map<string, Uint8Array> {
  const all = checked(trained, options)
  const { name, separate = false } = all
  const { description, wasm } = build(trained, all)
  const code = separate ? `await read(new URL("./${name}.wasm", import.meta.url))` : `decode("${base64(wasm)}")`
  const files = new Map([
    [`${name}.js`, utf8(moduleText(description, code))],
    [`${name}.d.ts`, utf8(`${declarations(description)}\n`)],
  ])
  return separate ? files.set(`${name}.wasm`, wasm) : files
}

const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)

function moduleText(description: Description, code: string): string {
  const { info, training } = description
  const names = ["info", "predict", "outputs", ...(training ? ["step", "save", "load"] : [])]
  return `// ${info.name}: a neural network that needs nothing else to run. Written by adjoint ${info.adjoint}, whose parts in it are under Apache-2.0.
/* eslint-disable */
${RUNTIME}
const description = ${JSON.stringify(description)}
const code = ${code}
export const { ${names.join(", ")} } = await open(description, code)
`
}
