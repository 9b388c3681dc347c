// An LSTM reads a text character by character and writes on: `npm install adjoint typescript`, then run this file. It reads TypeScript's
// declarations of the standard library; TEXT=shakespeare.txt reads another text, STEPS=100 less of it.
import { createRequire } from "node:module"
import { random, tensor } from "adjoint"
import { readText, textWindows } from "adjoint/data"
import { crossEntropy } from "adjoint/losses"
import { dense, embedding, lstm, sequential, summary } from "adjoint/nn"
import { adam, schedules } from "adjoint/optim"
import { accuracy, fit } from "adjoint/train"

const text = process.env.TEXT ?? createRequire(import.meta.url).resolve("typescript/lib/lib.es5.d.ts")
const { codes, characters } = await readText(text)
const { symbols } = characters

const [context, batchSize, wanted] = [64, 32, Number(process.env.STEPS ?? 1000)]
/** Windows of the text, and for each character the one after it; the last tenth is to judge by. */
const windows = (part: Int32Array) => textWindows(part, { length: context })
const cut = Math.floor(0.9 * codes.length)
const all = windows(codes.subarray(0, cut))
const rows = Math.min(all.rows, wanted * batchSize)
const epochs = Math.round((wanted * batchSize) / rows)
const steps = epochs * Math.ceil(rows / batchSize)

const model = sequential(
  embedding(symbols.length, 64),
  lstm(64, 128, { returnSequences: true }), // a state for each place
  dense(128, symbols.length),
)
console.log(summary(model, [context]))
const run = fit(model, all.slice(0, rows), {
  ...{ loss: crossEntropy, optimizer: adam(schedules.cosine(5e-3, { steps })), epochs, batchSize, seed: 1 },
  ...{ validation: windows(codes.subarray(cut)), metrics: { accuracy } },
})
for await (const event of run) {
  if (event.event !== "epoch") continue
  const { loss, accuracy } = event.validation!
  console.log(`epoch ${event.epoch} of ${epochs}: loss ${loss.toFixed(3)}, ${(100 * accuracy!).toFixed(1)} % of the next characters right`)
}

// what the network goes on with after the last window, each character drawn with the probability that it gives
const trained = await run.result
const written = [...codes.slice(-context)]
for (let i = 0; i < 200; i++) {
  const logits = trained.predict(tensor([written.slice(-context)], { dtype: "i32" })).slice(0, -1)
  written.push(random.categorical(random.fold(random.key(1), i), logits).item())
}
console.log(characters.decode(written))
