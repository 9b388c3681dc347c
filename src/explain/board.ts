// One example on the board: the symbols, formulas and numbers of a network, each derivative with its measurement.
import { backward, type LayerSlopes, softmaxSlope } from "./backward.ts"
import { centralDifference, inFormula, inProduct, tidy } from "./digits.ts"
import { activated, Evaluation, type LayerValues, type Numbers } from "./evaluate.ts"
import { say } from "./messages/index.ts"
import { type Names, namesOf, pathOf } from "./names.ts"
import { type DenseLayer, elementwiseOf, lossOf, type Network } from "./network.ts"
import type { DeltaExplanation, Factor, LayerExplanation, Quantity } from "./network-explanation.ts"
import { MOST_TERMS, measured, product, sumOf } from "./quantity.ts"

/** Where a parameter is: `i` undefined for a bias. */
export interface Place {
  readonly l: number
  readonly i: number | undefined
  readonly j: number
}

export class Board {
  readonly network: Network
  readonly target: Numbers
  readonly names: Names
  readonly evaluation: Evaluation
  /** inputs[l] [in] goes into layer l. */
  readonly inputs: readonly Numbers[]
  readonly values: readonly LayerValues[]
  readonly slopes: readonly LayerSlopes[]
  readonly error: number
  /** Outputs as the loss sees them: probabilities if it is joined to an activation. */
  private readonly out: Numbers
  private readonly last: number
  constructor(network: Network, x: Numbers, target: Numbers) {
    this.network = network
    this.target = target
    this.names = namesOf(network)
    this.evaluation = new Evaluation(network, target)
    this.values = this.evaluation.forward(x)
    this.inputs = [x, ...this.values.map(v => v.y)]
    this.last = network.layers.length - 1
    const { s, y } = this.values[this.last]!
    this.out = this.makesProbabilities ? activated(lossOf(network.loss).joined!, s) : y
    this.slopes = backward(network, this.values, this.out, target)
    this.error = this.evaluation.errorsFromScores(this.last, [s])[0]!
  }

  /** Whether the outputs are logits, of which the loss makes probabilities. */
  get makesProbabilities(): boolean {
    const { joined } = lossOf(this.network.loss)
    return joined !== undefined && this.layer(this.last).activation !== joined
  }
  /** The number of a parameter. */
  parameter({ l, i, j }: Place): number {
    return i === undefined ? this.layer(l).b![j]! : this.layer(l).w[i]![j]!
  }
  symbol({ l, i, j }: Place): string {
    return i === undefined ? this.names.b(l, j) : this.names.w(l, i, j)
  }
  deltaSymbol(l: number, j: number): string {
    return `dE/d${this.names.s(l, j)}`
  }
  path({ l, i, j }: Place): string {
    return `${pathOf(this.network, l)}.${i === undefined ? `b[${j}]` : `w[${i},${j}]`}`
  }
  /** The errors for other values of one parameter. */
  errorsWith(place: Place, values: Numbers): number[] {
    return this.evaluation.errorsFromScores(
      place.l,
      values.map(v => this.values[place.l]!.s.with(place.j, this.scoreWith(place, v))),
    )
  }

  /** Forward values of the given units of layer l; long sums are written out for the own ones. */
  forward(l: number, units: Numbers, isOwn: (l: number, j: number) => boolean): LayerExplanation {
    const { activation } = this.layer(l)
    const quantities = units.flatMap(j => [this.score(l, j, isOwn(l, j)), this.output(l, j)])
    if (l === this.last && this.makesProbabilities) quantities.push(...units.map(j => this.probability(j)))
    return { path: pathOf(this.network, l), activation, units: this.values[l]!.s.length, quantities }
  }

  /** E as a formula of the outputs. */
  errorQuantity(): Quantity {
    const { formula: each } = lossOf(this.network.loss)
    const isShort = this.target.length <= 3
    const sum = (write: (k: number) => string): string => {
      const parts = this.target.map((_, k) => write(k)).filter(part => part !== "")
      const total = parts.join(" + ").replaceAll("+ -", "- ")
      return this.share === 1 ? total : `(${total}) / ${this.share}`
    }
    const symbols = (k: number): string => each(this.outSymbol(k), this.names.t(k), this.target[k]!)
    const shown = this.target.filter((_, k) => symbols(k) !== "").length
    if (!isShort && shown > 3)
      return { symbol: "E", formula: say.network.lossOver(this.network.loss, this.target.length), value: this.error }
    const numbers = sum(k => each(inFormula(this.out[k]!), inFormula(this.target[k]!), this.target[k]!))
    return { symbol: "E", formula: sum(symbols), numbers, value: this.error }
  }

  /** dE/ds of a unit with its factors, each measured. */
  delta(l: number, j: number, isOwn: boolean): DeltaExplanation {
    const symbol = this.deltaSymbol(l, j)
    const factors = this.deltaFactors(l, j)
    const value = this.slopes[l]!.delta[j]!
    const check = centralDifference(vs => this.errorsWithScore(l, j, vs), this.values[l]!.s[j]!)
    const formula = factors.map(f => f.symbol).join(" · ")
    const numbers = inProduct(
      factors.map(f => f.value),
      " · ",
    )
    return { path: pathOf(this.network, l), unit: j, own: isOwn, factors, ...measured({ symbol, formula, numbers, value }, check) }
  }

  /** ds/dw: what went into the weight; 1 for a bias. */
  inputFactor(place: Place): Factor {
    const { l, i, j } = place
    const input = i === undefined ? 1 : this.inputs[l]![i]!
    const formula = i === undefined ? "1" : this.inputSymbol(l, i)
    const symbol = `d${this.names.s(l, j)}/d${this.symbol(place)}`
    const check = centralDifference(vs => vs.map(v => this.scoreWith(place, v)), this.parameter(place))
    return measured({ symbol, formula, value: input }, check)
  }

  /** The units of the layer after l that matter most for the given units of layer l. */
  heaviest(l: number, units: Numbers): number[] {
    const { delta } = this.slopes[l + 1]!
    const weight = (k: number): number => Math.max(...units.map(j => Math.abs(this.layer(l + 1).w[j]![k]! * delta[k]!)))
    const order = delta.map((_, k) => k).sort((a, b) => weight(b) - weight(a))
    return order.slice(0, MOST_TERMS).sort((a, b) => a - b)
  }

  private layer(l: number): DenseLayer {
    return this.network.layers[l]!
  }
  private get share(): number {
    return this.network.reduction === "mean" ? this.target.length : 1
  }
  private inputSymbol(l: number, i: number): string {
    return l === 0 ? this.names.x(i) : this.names.y(l - 1, i)
  }
  private outSymbol(k: number): string {
    return this.makesProbabilities ? this.names.p(k) : this.names.y(this.last, k)
  }

  private score(l: number, j: number, isOwn: boolean): Quantity {
    const { w, b } = this.layer(l)
    const products = this.inputs[l]!.map((a, i) => product([this.names.w(l, i, j), this.inputSymbol(l, i)], [w[i]![j]!, a]))
    const bias = b ? [product([this.names.b(l, j)], [b[j]!])] : []
    const terms = [...products, ...bias]
    const { numbers, ...sum } = sumOf(this.names.s(l, j), terms, this.values[l]!.s[j]!, "in order")
    return isOwn || !sum.rest ? { ...sum, numbers: numbers! } : { ...sum, formula: say.network.sum(terms.length) }
  }
  private output(l: number, j: number): Quantity {
    const rules = elementwiseOf(this.layer(l).activation)
    const [symbol, s] = [this.names.y(l, j), this.names.s(l, j)]
    const { s: scores, y } = this.values[l]!
    const value = y[j]!
    if (!rules) return { symbol, formula: say.network.softmax(s), value }
    const formula = rules.formula(s)
    // y = s = 0.7 needs no third side
    return formula === s ? { symbol, formula, value } : { symbol, formula, numbers: tidy(rules.formula(inFormula(scores[j]!))), value }
  }
  private probability(k: number): Quantity {
    const y = this.names.y(this.last, k)
    const formula = lossOf(this.network.loss).joined === "softmax" ? say.network.softmax(y) : `1 / (1 + exp(-${y}))`
    return { symbol: this.names.p(k), formula, value: this.out[k]! }
  }

  private deltaFactors(l: number, j: number): Factor[] {
    const { dy, slope } = this.slopes[l]!
    if (!dy) return [this.joinedFactor(j)]
    if (!slope) return [this.softmaxFactor(l, j, dy)]
    const [s, y] = [this.names.s(l, j), this.names.y(l, j)]
    const rules = elementwiseOf(this.layer(l).activation)!
    const { s: scores, y: outputs } = this.values[l]!
    const formula = rules.slopeFormula(s, y)
    const numbers = tidy(rules.slopeFormula(inFormula(scores[j]!), inFormula(outputs[j]!)))
    const check = centralDifference(vs => activated(this.layer(l).activation, vs), scores[j]!)
    const own = measured({ symbol: `d${y}/d${s}`, formula, ...(formula !== numbers && { numbers }), value: slope[j]! }, check)
    return [this.outputFactor(l, j, dy[j]!), own]
  }

  /** dE/dy: at the output from the loss, else over all ways that lead on from the unit. */
  private outputFactor(l: number, j: number, value: number): Factor {
    const { y } = this.values[l]!
    const symbol = `dE/d${this.names.y(l, j)}`
    const check = centralDifference(
      vs =>
        this.evaluation.errorsFromOutputs(
          l,
          vs.map(v => y.with(j, v)),
        ),
      y[j]!,
    )
    return measured(l === this.last ? this.lossSlope(symbol, j, value) : this.waysOn(symbol, l, j, value), check)
  }
  private waysOn(symbol: string, l: number, j: number, value: number): Quantity {
    const { delta } = this.slopes[l + 1]!
    const weights = this.layer(l + 1).w[j]!
    const ways = weights.map((w, k) => product([this.names.w(l + 1, j, k), this.deltaSymbol(l + 1, k)], [w, delta[k]!]))
    return sumOf(symbol, ways, value, "largest first")
  }
  private lossSlope(symbol: string, k: number, value: number): Quantity {
    const write = (y: string, t: string): string => {
      const slope = lossOf(this.network.loss).slopeFormula(y, t)
      return this.share === 1 ? slope : `(${slope}) / ${this.share}`
    }
    const [formula, numbers] = [write(this.outSymbol(k), this.names.t(k)), write(inFormula(this.out[k]!), inFormula(this.target[k]!))]
    return { symbol, formula, numbers, value }
  }
  private joinedFactor(k: number): Factor {
    const l = this.last
    const check = centralDifference(vs => this.errorsWithScore(l, k, vs), this.values[l]!.s[k]!)
    return measured(this.lossSlope(this.deltaSymbol(l, k), k, this.slopes[l]!.delta[k]!), check)
  }
  private softmaxFactor(l: number, j: number, dy: Numbers): Factor {
    const { s, y } = this.values[l]!
    const ways = y.map((_, k) => {
      const name = this.names.y(l, k)
      return product([`dE/d${name}`, `d${name}/d${this.names.s(l, j)}`], [dy[k]!, softmaxSlope(y, k, j)])
    })
    const check = centralDifference(vs => this.errorsWithScore(l, j, vs), s[j]!)
    return measured(sumOf(this.deltaSymbol(l, j), ways, this.slopes[l]!.delta[j]!, "largest first"), check)
  }

  private errorsWithScore(l: number, j: number, values: Numbers): number[] {
    return this.evaluation.errorsFromScores(
      l,
      values.map(v => this.values[l]!.s.with(j, v)),
    )
  }
  /** s of the unit that a parameter belongs to, summed anew with another value of the parameter. */
  private scoreWith({ l, i: changed, j }: Place, value: number): number {
    const { w, b } = this.layer(l)
    const bias = b ? (changed === undefined ? value : b[j]!) : 0
    return this.inputs[l]!.reduce((s, a, i) => s + a * (i === changed ? value : w[i]![j]!), 0) + bias
  }
}
