// A process for kill.test.ts that saves one model after the other, the number of the step in all its weights, until it is killed.
import { packModel } from "../../../io/model.ts"
import { writeModelFolder } from "../model-folder.ts"

const [dir, first, weights] = process.argv.slice(2) as [string, string, string]
for (let step = Number(first); ; step++) {
  const w = { dtype: "f32", shape: [Number(weights)], data: new Float32Array(Number(weights)).fill(step) } as const
  writeModelFolder(dir, packModel({ kind: "model", version: "0.1.0", architecture: null, training: { step }, tensors: { w } }))
  if (step === Number(first)) process.stdout.write("saved\n")
}
