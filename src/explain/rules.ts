// What the derivative of an operation is called: by the name of the operation and the number of the operand.

export interface Rule {
  /** Plain text, in the names of the operands x, y, ... and the result. */
  readonly formula: string
  readonly latex: string
  /** The formula with numbers, where it is a formula of a few numbers: `v(k)` is operand k at this element, `out` the result. */
  readonly numbers?: (v: (k: number) => string, out: string) => string
}
const rule = (formula: string, latex: string, numbers?: Rule["numbers"]): Rule => ({ formula, latex, ...(numbers && { numbers }) })

/** What a rule of the user's makes of the cotangent that arrives. */
export const GIVEN = rule("rule(ct) / ct, the ct that arrives", "\\frac{r(\\bar y)}{\\bar y}")

const one = rule("1", "1")
const softmax = rule("softmax_i (δ_ij - softmax_j)", "y_i(\\delta_{ij}-y_j)")
const logSoftmax = rule("δ_ij - softmax_j", "\\delta_{ij}-\\operatorname{softmax}_j")
const logistic = rule("y (1 - y), y = logistic(x)", "y(1-y)", (_, y) => `${y}·(1 - ${y})`)
const step = rule("1 if x > 0, else 0", "[x>0]")
const moved = "1: the element is moved"
const copies = rule(moved, "1")

/** Composites get their operands as they are called: `dense` has w, b and x. */
const RULES: Readonly<Record<string, readonly Rule[]>> = {
  add: [one, one],
  sub: [one, rule("-1", "-1")],
  neg: [rule("-1", "-1")],
  mul: [rule("the other factor", "y", v => v(1)), rule("the other factor", "x", v => v(0))],
  mulNoNan: [rule("the other factor", "y", v => v(1)), rule("the other factor", "x", v => v(0))],
  div: [rule("1 / y", "\\frac1y", v => `1 / ${v(1)}`), rule("-x / y^2", "-\\frac{x}{y^2}", v => `-${v(0)} / ${v(1)}^2`)],
  matmul: [rule("the factor it meets in the product", "B_{kj}"), rule("the factor it meets in the product", "A_{ik}")],
  conv: [rule("the weight it meets", "w_k"), rule("the input it meets", "x_{i+k}")],
  sum: [one],
  exp: [rule("exp(x)", "e^{x}", v => `exp(${v(0)})`)],
  expm1: [rule("exp(x)", "e^{x}", v => `exp(${v(0)})`)],
  exp2: [rule("ln 2 · 2^x", "2^{x}\\ln 2", v => `ln 2 · 2^${v(0)}`)],
  log: [rule("1 / x", "\\frac1x", v => `1 / ${v(0)}`)],
  log1p: [rule("1 / (1 + x)", "\\frac1{1+x}", v => `1 / (1 + ${v(0)})`)],
  log2: [rule("1 / (x ln 2)", "\\frac1{x\\ln 2}")],
  log10: [rule("1 / (x ln 10)", "\\frac1{x\\ln 10}")],
  sin: [rule("cos(x)", "\\cos x", v => `cos(${v(0)})`)],
  cos: [rule("-sin(x)", "-\\sin x", v => `-sin(${v(0)})`)],
  tan: [rule("1 + tan(x)^2", "1+\\tan^2 x", (_, y) => `1 + ${y}^2`)],
  tanh: [rule("1 - tanh(x)^2", "1-\\tanh^2 x", (_, y) => `1 - ${y}^2`)],
  sinh: [rule("cosh(x)", "\\cosh x")],
  cosh: [rule("sinh(x)", "\\sinh x")],
  sigmoid: [logistic],
  logistic: [logistic],
  softplus: [rule("logistic(x)", "\\sigma(x)")],
  sqrt: [rule("1 / (2 sqrt(x))", "\\frac1{2\\sqrt x}", (_, y) => `1 / (2·${y})`)],
  abs: [rule("sign(x)", "\\operatorname{sign}x")],
  pow: [rule("y x^(y-1)", "y\\,x^{y-1}", v => `${v(1)}·${v(0)}^(${v(1)} - 1)`), rule("x^y ln x", "x^{y}\\ln x")],
  erf: [rule("2 / sqrt(π) exp(-x^2)", "\\frac2{\\sqrt\\pi}e^{-x^2}")],
  maximum: [rule("1 where x is larger", "[x>y]"), rule("1 where y is larger", "[y>x]")],
  minimum: [rule("1 where x is smaller", "[x<y]"), rule("1 where y is smaller", "[y<x]")],
  max: [rule("1 where the maximum is", "[x=\\max x]")],
  min: [rule("1 where the minimum is", "[x=\\min x]")],
  select: [rule("0", "0"), rule("1 where the condition holds", "[c]"), rule("1 where it does not hold", "[\\lnot c]")],
  gather: [rule("1 where the element is looked up", "[i=k]")],
  scatterAdd: [one, rule("0", "0"), rule("1 where it is added", "[i=k]")],
  concat: [],
  stopGradient: [rule("0, as was asked", "0")],
  relu: [step],
  relu6: [rule("1 if 0 < x < 6, else 0", "[0<x<6]")],
  softmax: [softmax],
  logSoftmax: [logSoftmax],
  flatten: [copies],
  reshape: [copies],
  permute: [copies],
  broadcast: [copies],
  slice: [copies],
  pad: [copies],
  flip: [copies],
  cast: [copies],
  residual: [],
}
/** Losses of one row; the mean divides by their number. */
const LOSSES: Readonly<Record<string, readonly Rule[]>> = {
  crossEntropy: [rule("softmax(x)_j - t_j", "\\operatorname{softmax}(x)_j-t_j")],
  binaryCrossEntropy: [rule("logistic(x)_j - t_j", "\\sigma(x_j)-t_j")],
  squaredError: [rule("2 (y - t)", "2(y-t)"), rule("-2 (y - t)", "-2(y-t)")],
  halfSquaredError: [rule("(y - t)", "y-t"), rule("-(y - t)", "-(y-t)")],
}
const weight = rule("the input x_i", "x_i")
const input = rule("the weight w_ij", "w_{ij}")

/** The rule of operand `k` of `operands`; without one the derivative is only named. `attributes` are those of a composite. */
export function ruleOf(name: string, k: number, operands: number, attributes: object = {}): Rule {
  if (name === "dense") return (operands === 3 ? [weight, one, input] : [weight, input])[k]!
  if (name === "concat") return copies
  return RULES[name]?.[k] ?? lossRule(name, k, attributes) ?? named(name, k, operands)
}
/** Class weights, smoothing and their like change the formula. */
function lossRule(name: string, k: number, { reduction = "none", ...more }: { readonly reduction?: string }): Rule | undefined {
  const found = LOSSES[name]?.[k]
  if (!found || Object.keys(more).length > 0) return undefined
  return reduction === "mean" ? rule(`${found.formula} over N, for the mean of N`, `\\frac{${found.latex}}{N}`) : found
}
function named(name: string, k: number, operands: number): Rule {
  const [operand, latex] = operands === 1 ? ["x", "x"] : [`x${k + 1}`, `x_{${k + 1}}`]
  const upright = name.replaceAll(/[^A-Za-z0-9]/g, "\\ ")
  return rule(`d ${name} / d ${operand}`, `\\frac{\\partial\\,\\mathrm{${upright}}}{\\partial ${latex}}`)
}
