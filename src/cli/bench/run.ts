// The process of one workload: `node run.js W3 [warm-up, ms] [repeat, ms]` prints a line of JSON for each result.
// `run.js W3 WARM MS health` measures the same as `fit` trains it, with its option `health` and without.
// `run.js PRODUCT` says how fast matrix products are, in the threads and with the BLAS that the environment names.
// `run.js IMPORT` loads the library and stops; `run.js W8` trains XOR and prints nothing: whoever starts them looks at the clock;
// `run.js PEAK` says what the processor can do.
import { ENGINES, type Result } from "./result.ts"

const [name = "", warmMs = 2000, repMs = 3000, mode] = process.argv.slice(2)

const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`)

const tell = ({ variant, engine, value, unit, status, ...rest }: Result): void =>
  say({ workload: name, variant, engine, value, unit, status, ...rest })

async function measure(): Promise<void> {
  const { HEALTH, WORKLOADS } = await import("./workloads.ts")
  const { compiler } = await import("../../runtime/program.ts")
  const workload = (mode === "health" ? HEALTH : WORKLOADS)[name]
  if (workload?.load === undefined) throw new Error(`there is nothing to run for ${name}`)
  const run = await workload.load()
  const engine = compiler().main.name
  try {
    for await (const measured of run({ warmMs: Number(warmMs), repMs: Number(repMs) })) {
      const rss_mb = Math.round(process.resourceUsage().maxRSS / 1000)
      tell({ ...measured, engine, status: "ok", rss_mb })
    }
  } catch (error) {
    // without the data there is nothing to measure, and that is not adjoint's fault
    const { name: kind, message } = error as Error
    const status = kind === "DataError" ? "cannot" : "failed"
    const { unit, variants } = workload
    tell({ variant: variants[0]!, engine, value: null, unit, status, reason: message })
    if (status === "failed") throw error
  }
}

if (name === "IMPORT") await import("../../index.ts")
else if (name === "W8") (await import("./xor.ts")).cold()
else if (name === "PRODUCT") say({ gflops: (await import("./product.ts")).measureProduct() })
else if (name === "PEAK") {
  await import("../../index.ts")
  const { compiler } = await import("../../runtime/program.ts")
  say((await import("./peak.ts")).measurePeak(compiler().main.name === ENGINES.relaxed))
} else await measure()
