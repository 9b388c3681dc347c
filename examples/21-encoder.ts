// The 8-3-8 encoder: eight symbols, each with one unit on, through three hidden units and back. To tell them apart the hidden layer has to find
// eight different codes, much like counting in binary.
import { eye, jit, random, scan, type Tensor, valueAndGrad } from "adjoint"
import { crossEntropy } from "adjoint/losses"
import { dense, logistic, sequential } from "adjoint/nn"
import { adam } from "adjoint/optim"

const symbols = eye(8)
const encoder = sequential(dense(8, 3), logistic())
const model = sequential(encoder, dense(3, 8))
const { params: start, state } = model.init(random.key(21), [8])
const optimizer = adam(0.05)
const loss = (params: typeof start) => crossEntropy(model.apply(params, state, symbols)[0], symbols)
const step = ([params, moments]: [typeof start, ReturnType<typeof optimizer.init>]) => {
  const [E, g] = valueAndGrad(loss)(params)
  return [optimizer.update(g, moments, params), E] as const
}
const train = jit((now: Parameters<typeof step>[0]) => scan(step as any, now, null, { length: 1000 }) as [typeof now, Tensor])
const [[params], errors] = train([start, optimizer.init(start)])
for (const i of [0, 99, 999]) console.log(`step ${i + 1}: error ${errors.at(i).item().toFixed(4)}`)

const guesses = model.apply(params, state, symbols)[0].argmax({ axis: 1 }).toArray() as number[]
console.log(`${guesses.filter((g, i) => g === i).length} of 8 symbols come back`)
const inner = (params as { layers: readonly (typeof start)[] }).layers[0]
const codes = encoder.apply(inner as never, { layers: [{}, {}] } as never, symbols)[0].toArray() as number[][]
for (const [i, code] of codes.entries()) console.log(`symbol ${i}: ${code.map(v => v.toFixed(2)).join(" ")}`)
const apart = codes.flatMap((a, i) => codes.slice(i + 1).map(b => Math.max(...a.map((v, k) => Math.abs(v - b[k]!)))))
console.log(
  `${new Set(codes.map(c => c.map(Math.round).join(""))).size} codes when rounded; no two are nearer than ${Math.min(...apart).toFixed(2)}`,
)
