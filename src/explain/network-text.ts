// An explanation as a teacher would write it on the board.
import { digits, inProduct } from "./digits.ts"
import { aligned, equation, equations, table, WIDTH, widest, wrap } from "./layout.ts"
import { say } from "./messages/index.ts"
import type { Factor, NetworkExplanation, Quantity, WeightExplanation } from "./network-explanation.ts"

/**
 * The explanation as text of at most 80 columns: forward, backward, chain, check, reading, step.
 *
 * @example
 * console.log(renderText(explainNetwork(network, { x: [0.1, 0.3], target: 0.03 })))
 */
export function renderNetwork(explanation: NetworkExplanation): string {
  const { forward, error, weights, learningRate } = explanation
  return [
    title(explanation),
    [say.network.forward, ...[...forward.flatMap(layer => layer.quantities), error].flatMap(computed)],
    [say.network.backward, ...backward(explanation)],
    [say.network.chain, ...chain(weights)],
    [say.network.check, ...check(explanation)],
    [say.network.reading, ...weights.flatMap(w => wrap(`  ${w.reading.sentence}`, 4))],
    [say.network.update(digits(learningRate)), ...update(explanation)],
    [say.network.plusOne, ...plusOne(weights)],
  ]
    .map(lines => lines.join("\n"))
    .join("\n\n")
}

function title({ network, weights }: NetworkExplanation): string[] {
  const { symbol, path } = weights[0]!
  const parts = [say.network.title(network), say.network.error(network)]
  const one = parts.join("; ")
  return [
    ...(one.length <= WIDTH ? [one] : parts.flatMap(part => wrap(part, 2))),
    ...(symbol.includes("[") ? [say.network.indices(symbol, path)] : []),
  ]
}

/** `y = 1 / (1 + exp(-s)) = 1 / (1 + exp(-1.94)) = 0.8743521` */
function computed({ symbol, formula, numbers, value }: Quantity): string[] {
  const sides = [formula, ...(numbers === undefined ? [] : [numbers]), digits(value)]
  return equation(
    symbol,
    sides.filter((side, i) => side !== sides[i - 1]),
  )
}

interface Row {
  readonly symbol: string
  readonly formula: string
  readonly value: number
  readonly check?: number
}

/** Each factor once, however many weights share it, from the error backwards. */
function backward({ deltas, weights, network }: NetworkExplanation): string[] {
  const isDeep = network.sizes.length > 2
  const rows: Row[] = deltas.flatMap(delta => [
    ...delta.factors.flatMap(factor => factorRows(factor, delta.own)),
    ...(isDeep && delta.factors.length > 1 ? [{ ...delta, formula: say.network.product }] : []),
    ...weights.filter(w => w.delta === delta.symbol).map(w => w.factors.at(-1)!),
  ])
  const numbers = [aligned(rows.map(r => r.value)), aligned(rows.map(r => r.check))]
  const heads = ["", "", say.network.columns.value, say.network.columns.measured]
  const lines = (formula: (row: Row) => string): string[] => table([rows.map(r => r.symbol), rows.map(formula), ...numbers], heads, 2)
  const whole = lines(r => ` = ${r.formula}`)
  // where indices are long, terms do without the numbers that they are made of
  return widest(whole) <= WIDTH ? whole : lines(r => (r.check === undefined ? " =" : ` = ${r.formula}`))
}

/** A sum over several ways on is written out for the units that explained weights lead to. */
function factorRows(factor: Factor, isOwn: boolean): Row[] {
  const { terms = [], rest } = factor
  if (terms.length < 2) return [factor]
  const sum = { ...factor, formula: say.network.sum(terms.length + (rest?.count ?? 0)) }
  if (!isOwn) return [sum]
  const parts = terms.map(t => ({ symbol: `  ${t.formula}`, formula: t.numbers, value: t.value }))
  return [sum, ...parts, ...(rest ? [{ symbol: "  ...", formula: say.network.rest(rest.count), value: rest.value }] : [])]
}

/** `dE/dw1 = dE/dy · dy/ds · ds/dw1 = 0.8443521 · 0.1098605 · 0.1 = 0.009276093` */
function chain(weights: readonly WeightExplanation[]): string[] {
  return equations(
    weights.map(({ symbol, factors, product }) => [
      `dE/d${symbol}`,
      factors.map(f => f.symbol).join(" · "),
      inProduct(
        factors.map(f => f.value),
        " · ",
      ),
      digits(product),
    ]),
  )
}

function check({ weights, deltas, agrees }: NetworkExplanation): string[] {
  const columns = [weights.map(w => w.product), weights.map(w => w.gradient), weights.map(w => w.finiteDifference)]
  const { product, gradient, differences } = say.network.columns
  const all = [...deltas, ...deltas.flatMap(d => d.factors), ...weights, ...weights.flatMap(w => w.factors)]
  const largest = all.reduce((most, x) => Math.max(most, x.difference), 0)
  const isExact = weights.every(w => Math.abs(w.product - w.gradient) <= 1e-9 * Math.max(1, Math.abs(w.gradient)))
  const verdict = agrees ? say.network.agreement(largest.toExponential(0)) : isExact ? say.network.kink : say.network.mismatch
  return [
    ...table([weights.map(w => `dE/d${w.symbol}`), ...columns.map(c => aligned(c))], ["", product, gradient, differences]),
    ...wrap(`  ${verdict}`, 2),
  ]
}

function update({ weights, update, network }: NetworkExplanation): string[] {
  const { before, after } = say.network.columns
  const columns = [
    [...weights.map(w => w.update.before), update.before],
    [...weights.map(w => w.update.after), update.after],
  ]
  const change = [digits(update.actual), digits(update.predicted)] as const
  if (weights.length === network.parameters)
    return [
      ...table([[...weights.map(w => w.symbol), "E"], ...columns.map(c => aligned(c))], ["", before, after]),
      ...wrap(`  ${say.network.change(...change)}`, 2),
    ]
  return [
    ...table([weights.map(w => w.symbol), ...columns.map(c => aligned(c.slice(0, -1)))], ["", before, after]),
    ...wrap(`  ${say.network.changeOfAll(network.parameters, ...change)}`, 2),
  ]
}

function plusOne(weights: readonly WeightExplanation[]): string[] {
  const columns = [weights.map(w => w.plusOne.predicted), weights.map(w => w.plusOne.actual)]
  const numbers = columns.map(c => aligned(c, { signed: true }))
  return table([weights.map(w => w.symbol), ...numbers], ["", say.network.columns.predicted, say.network.columns.actual])
}
