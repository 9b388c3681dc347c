// The workloads by name. What a workload is made of, and with it the engine, is loaded only where it runs.
import type { Budget, Measured } from "./result.ts"

export interface Workload {
  readonly title: string
  /** Of its main value. */
  readonly unit: string
  /** Its variants, where it has several or one with a name. */
  readonly variants: readonly string[]
  /** "process": the time from the start of a process to its end is what counts. */
  readonly measures?: "process"
  readonly load?: () => Promise<(budget: Budget) => Iterable<Measured> | AsyncIterable<Measured>>
}

/** XOR in a process of its own: W8. */
export const COLD_UNIT = "s whole process, 2000 XOR steps"

export const WORKLOADS: Readonly<Record<string, Workload>> = {
  W1: { title: "XOR 2-4-1", unit: "us/step", variants: ["", "step by step"], load: async () => (await import("./xor.ts")).warm },
  W2: { title: "one neuron", unit: "s/80k steps", variants: [""], load: async () => (await import("./neuron.ts")).training },
  W3: {
    title: "MLP 784-128-64-10",
    unit: "steps/s",
    variants: ["sgd-momentum", "adam"],
    load: async () => (await import("./mlp.ts")).small,
  },
  W4: { title: "MLP 784-1024-1024-10", unit: "steps/s", variants: ["adam"], load: async () => (await import("./mlp.ts")).large },
  W5: { title: "convolutions 28x28", unit: "steps/s", variants: ["sgd-momentum"], load: async () => (await import("./cnn.ts")).training },
  W6: { title: "LSTM 128, 32 places", unit: "steps/s", variants: ["adam"], load: async () => (await import("./lstm.ts")).training },
  W7: { title: "transformer 2 x 128", unit: "steps/s", variants: ["adam"], load: async () => (await import("./transformer.ts")).training },
  W8: { title: "XOR, whole process", unit: COLD_UNIT, variants: [""], measures: "process" },
  W9: { title: "MNIST 784-128-10", unit: "s", variants: ["adam, 3 epochs"], load: async () => (await import("./digits.ts")).training },
}

/** Workloads as `fit` trains them, with its option `health` and without: what `--health` measures. */
const HEALTH_VARIANTS = ["fit", "fit, health"]
export const HEALTH: Readonly<Record<string, Workload>> = {
  W3: { ...WORKLOADS.W3!, variants: HEALTH_VARIANTS, load: async () => (await import("./health.ts")).ofMlp },
  W6: { ...WORKLOADS.W6!, variants: HEALTH_VARIANTS, load: async () => (await import("./health.ts")).ofLstm },
}
