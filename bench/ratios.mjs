// From pairs of measurements to a table of ratios.

const median = xs => {
  const sorted = [...xs].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
}
const digits = x => (x >= 100 ? Math.round(x).toLocaleString("en") : x.toPrecision(x >= 1 ? 3 : 2))

/** What a peer trains with instead, where it does not have the optimizer of a row. */
const STAND_INS = { adadelta: "adam", sigmoid: "sgd-momentum" }
/** Forms of the same work: how a library writes it. Whatever else a variant says is work of another kind. */
const SAME_WORK =
  /^(nn\.LSTM|unrolled in jit|unrolled core ops|one-hot embedding.*|layers\.lstm trainOnBatch|layers API trainOnBatch|partial_fit)$/

/** The optimizer that a variant's name begins with. */
const optimizerOf = variant => {
  const first = variant.split(/[,;(]/)[0].trim()
  return STAND_INS[first] ?? first
}
const isSameWork = (variant, row) => {
  if (variant === "" || variant === row) return true
  return row !== "" && variant.startsWith(`${row}, `) && SAME_WORK.test(variant.slice(row.length + 2))
}

/** Results of a peer that belong to a row. Where the rows are no optimizers there is one thing to compare with. */
function linesFor(workload, row, lines) {
  const ok = lines.filter(l => l.status === "ok")
  return ["W3", "W4"].includes(workload) ? ok.filter(l => optimizerOf(l.variant ?? "") === row) : ok
}

/** Seconds of W9 for the epochs and digits of the workload: some peers train on fewer. */
const wholeEpochs = line => {
  const epochs = Number(/(\d+) epochs/.exec(line.variant ?? "")?.[1] ?? 3)
  return line.value * ((3 * 60_000) / (epochs * (line.n_train ?? 60_000)))
}

/** How many times as fast adjoint is in one pair, and what the peer did; undefined where there is nothing to compare. */
function compare({ workload, adjoint, peer }, row) {
  const own = adjoint.find(l => l.variant === row && l.status === "ok")
  if (own === undefined) return undefined
  const candidates = linesFor(workload, row, peer).map(line => {
    const theirs = workload === "W9" ? wholeEpochs(line) : line.value
    return { ratio: own.unit === "steps/s" ? own.value / theirs : theirs / own.value, line }
  })
  // a library that can do it in two ways is taken at its best
  return candidates.sort((a, b) => a.ratio - b.ratio)[0]
}

/** A cell of the table from all pairs of a peer in a workload. */
function cellOf(pairs, row) {
  const compared = pairs.map(pair => compare(pair, row)).filter(c => c !== undefined)
  if (compared.length === 0) {
    const failed = pairs.some(p => p.adjoint.some(l => l.status === "failed"))
    const reason = pairs.flatMap(p => p.peer).find(l => l.status !== "ok")?.reason
    return { text: failed ? "adjoint failed" : reason === undefined ? "-" : "cannot", reason: failed ? undefined : reason }
  }
  const ratios = compared.map(c => c.ratio)
  const { line } = compared[0]
  const ratio = median(ratios)
  const star = isSameWork(line.variant ?? "", row) ? "" : "*"
  const spread = `${digits(Math.min(...ratios))} to ${digits(Math.max(...ratios))}`
  const few = compared.length < pairs[0].wanted ? `, ${compared.length} ${compared.length > 1 ? "pairs" : "pair"}` : ""
  return { ratio, star, text: `${digits(ratio)}${star} (${spread}${few})`, variant: line.variant ?? "" }
}

const row = cells => `| ${cells.join(" | ")} |`
const distinct = xs => [...new Set(xs.filter(x => x !== undefined && x !== ""))]
const range = xs => (xs.length > 1 ? `${xs[0]} to ${xs.at(-1)}` : (xs[0] ?? "-"))
const share = x => `${(100 * x).toFixed(1)} %`

/**
 * The document: `pairs` as kept in the file of raw results, `workloads` by name, `peers` by name with title and whether they are
 * JavaScript, `skipped` with reasons.
 */
export function document(pairs, { workloads, peers, skipped }) {
  const shown = Object.keys(peers).filter(name => pairs.some(p => p.name === name))
  const lines = []
  const notes = new Set()
  for (const [workload, { title, variants }] of Object.entries(workloads)) {
    const here = pairs.filter(p => p.workload === workload)
    if (here.length === 0) continue
    for (const variant of variants) {
      const name = `${workload} ${title}${variant ? `, ${variant}` : ""}`
      const cells = shown.map(peer => {
        const own = here.filter(p => p.name === peer)
        const cell = own.length > 0 ? cellOf(own, variant) : { text: "-" }
        if (cell.reason !== undefined)
          notes.add(`${peers[peer].title} cannot do ${workload}: ${cell.reason.split("\n").at(-1).slice(0, 160)}`)
        if (cell.star) notes.add(`* ${peers[peer].title}, ${workload}: ${cell.variant}`)
        return { ...cell, peer }
      })
      const script = cells.filter(c => c.ratio !== undefined && peers[c.peer].script).sort((a, b) => a.ratio - b.ratio)[0]
      const best = script ? `${digits(script.ratio)}${script.star} (${peers[script.peer].title})` : "-"
      const values = here.flatMap(p => p.adjoint).filter(l => l.variant === variant && l.status === "ok")
      const own = values.length > 0 ? `${digits(median(values.map(l => l.value)))} ${values[0].unit.replace(/^s whole.*/, "s")}` : "-"
      lines.push(row([name, own, ...cells.map(c => c.text), best]))
    }
  }
  const machine = key => distinct(pairs.map(p => p.machine[key])).join(", ")
  const versions = shown.map(name => {
    const known = distinct(pairs.filter(p => p.name === name).flatMap(p => p.peer.map(l => l.version)))
    const libraries = distinct(pairs.filter(p => p.name === name).map(p => p.blas))
    const withBlas = libraries.length > 0 ? ` with ${libraries.join(", ")}` : ""
    return `${peers[name].title}${known.length > 0 ? ` ${known.join(", ")}` : ""}${withBlas}`
  })
  const offCpu = side => Math.max(0, ...pairs.flatMap(p => p[side].map(l => l.off_cpu ?? 0)))
  const accuracies = accuracy(
    pairs.filter(p => p.workload === "W9"),
    peers,
  )
  return [
    "# adjoint beside other libraries",
    "",
    `adjoint ${machine("adjoint")}, Node ${machine("node")}, V8 ${machine("v8")}, ${machine("simd")} SIMD, one thread, ${machine("blas") || "no BLAS"}; peak of multiply-adds on registers ${machine("peak")} GFLOP/s.`,
    "",
    `Peers: ${versions.join("; ") || "none"}; one thread each.`,
    "",
    `Machine: ${machine("cpu")}, ${machine("pinned")}; ${range(distinct(pairs.map(p => p.date.slice(0, 10))).sort())}. Off the CPU, at most: adjoint ${share(offCpu("adjoint"))}, peers ${share(offCpu("peer"))}; repeats over 3 % are given by their CPU time.`,
    "",
    "Made by:",
    "",
    "```sh",
    ...distinct(pairs.map(p => p.command)),
    "```",
    "",
    "A cell says how many times as fast adjoint is (above 1: faster): the median of the ratios of pairs of processes that ran one after the other,",
    "with the smallest and the largest.",
    "",
    row(["workload", "adjoint", ...shown.map(name => peers[name].title), "best JavaScript peer"]),
    row(["---", ...Array(shown.length + 2).fill("---:")]),
    ...lines,
    "",
    ...(notes.size > 0 ? ["\\* Not the same work.", "", ...[...notes].sort().map(n => `- ${n.replace(/^\*/, "\\*")}`), ""] : []),
    ...(accuracies.length > 0 ? ["Share of the test digits right in W9:", "", ...accuracies, ""] : []),
    ...(skipped.length > 0 ? ["Left out:", "", ...skipped.map(s => `- ${s}`), ""] : []),
  ].join("\n")
}

/** Speed without learning is nothing: what was right in the end, on both sides. */
function accuracy(pairs, peers) {
  const own = distinct(pairs.flatMap(p => p.adjoint.map(l => l.test_acc)))
  if (own.length === 0) return []
  const theirs = distinct(pairs.map(p => p.name)).map(name => {
    const lines = pairs.filter(p => p.name === name).flatMap(p => p.peer.filter(l => l.test_acc !== undefined))
    return lines.length > 0
      ? `- ${peers[name]?.title ?? name}: ${median(lines.map(l => l.test_acc)).toFixed(4)} (${lines[0].variant})`
      : undefined
  })
  return [`- adjoint: ${median(own).toFixed(4)}`, ...distinct(theirs)]
}
