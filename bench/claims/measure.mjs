// Times, and tables of them.

const REPEATS = 7
/** A repeat that was off the CPU for more than this share of its time counts with its CPU time, as in `adjoint bench`. */
const OFF_CPU = 0.03

const cpuMs = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
/** Milliseconds that `run` takes. */
function once(run) {
  const [start, cpu] = [performance.now(), cpuMs()]
  run()
  const [ms, cpuTime] = [performance.now() - start, cpuMs() - cpu]
  return ms > (1 + OFF_CPU) * cpuTime ? cpuTime : ms
}

/**
 * Milliseconds of one call of each of the functions, which have finished their work when they return: medians of repeats in which they take turns,
 * so that a machine that changes its speed does so for all.
 */
export function times(functions, ms) {
  // warm-up, which says how many calls a repeat has
  const calls = functions.map(f => {
    let n = 0
    for (const start = performance.now(); n === 0 || performance.now() - start < ms; n++) f()
    return n
  })
  const repeats = Array.from({ length: REPEATS }, () =>
    functions.map((f, k) => {
      const all = () => {
        for (let i = 0; i < calls[k]; i++) f()
      }
      return once(all) / calls[k]
    }),
  )
  return functions.map((_, k) => median(repeats.map(each => each[k])))
}

export function median(xs) {
  const sorted = [...xs].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
}

/** The exponent p of the best y = c x^p: the slope of a straight line through the logarithms. */
export function exponent(points) {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)])
  const [mx, my] = [0, 1].map(k => logs.reduce((sum, p) => sum + p[k], 0) / logs.length)
  const [over, under] = logs.reduce(([a, b], [x, y]) => [a + (x - mx) * (y - my), b + (x - mx) ** 2], [0, 0])
  return over / under
}

/** A table in Markdown: the first column to the left, the others to the right. */
export function table(head, rows) {
  const widths = head.map((h, c) => Math.max(h.length, ...rows.map(row => row[c].length)))
  const line = cells => `| ${cells.map((x, c) => (c === 0 ? x.padEnd(widths[c]) : x.padStart(widths[c]))).join(" | ")} |`
  const rule = `|${widths.map((w, c) => (c === 0 ? "-".repeat(w + 2) : `${"-".repeat(w + 1)}:`)).join("|")}|`
  return [line(head), rule, ...rows.map(line)].join("\n")
}

/** 1234567 as "1,234,567", and 0.01234 as "0.0123". */
export const number = x => (x >= 100 ? Math.round(x).toLocaleString("en") : String(Number(x.toPrecision(3))))
/** Milliseconds in a unit that suits them. */
export const duration = ms => (ms < 1 ? `${number(1000 * ms)} us` : ms < 1000 ? `${number(ms)} ms` : `${number(ms / 1000)} s`)
/** Bytes in a unit that suits them. */
export const size = bytes => (bytes < 1e3 ? `${bytes} B` : bytes < 1e6 ? `${number(bytes / 1e3)} kB` : `${number(bytes / 1e6)} MB`)
