// Operations that give no number for what they read.
import { add, div, exp, log, mul, neg, pow, sqrt, sub, sum, type Tensor, take, tensor } from "../../../../index.ts"
import { crossEntropy } from "../../../../losses.ts"
import { dense, type Layer, lambda, logistic, relu, sequential, tanh } from "../../../../nn.ts"
import { adam } from "../../../../optim.ts"
import type { Dataset } from "../../../rows.ts"
import { classes, numbers, oneHots, yesNo } from "../data.ts"
import { at, by, cross, type Fault, fault, he, heldOut, scaled, seen, shifted, square } from "../fault.ts"

const total = (x: Tensor): Tensor => sum(x, { axis: -1, keepdims: true })
const shares = (x: Tensor): Tensor => div(x, total(x))
const softmaxByHand = (x: Tensor): Tensor => div(exp(x), total(exp(x)))
const length = (x: Tensor): Tensor => sqrt(total(mul(x, x)))
/** Binary cross-entropy of probabilities. */
const logLoss = (o: Tensor, t: Tensor): Tensor => neg(sum(add(mul(t, log(o)), mul(sub(1, t), log(sub(1, o))))))
/** One-hot rows of three classes. */
// biome-ignore format: a matrix
const oneHot = (t: Tensor): Tensor => take(tensor([[1, 0, 0], [0, 1, 0], [0, 0, 1]]), t)

const ninefold = seen(classes, scaled(9))
const eightfold = (seed: number): Dataset => yesNo(seed, 0, 1, scaled(8))

const logs = (): Layer => lambda(x => log(x))
const noRoots = (): Layer => lambda(x => sqrt(sub(x, x)))
const inverses = (): Layer => lambda(x => div(1, x))
const powers = (exponent: number): Layer => lambda(x => pow(x, exponent))
const grown = (factor: number): Layer => lambda(x => exp(mul(x, factor)))
const classifier = sequential(dense(6, 16, he), relu(), dense(16, 3), lambda(softmaxByHand))
const zeros = { init: "zeros" } as const

export const OPERATIONS: readonly Fault[] = [
  fault(
    "logarithm of 0",
    ["not finite"],
    ["operation"],
    at("layers.2", sequential(dense(6, 16, he), relu(), logs(), dense(16, 3)), classes, cross()),
    at(/^$/, sequential(dense(6, 16, he), relu(), dense(16, 1), logistic()), eightfold, by(logLoss, adam(0.5), 30)),
  ),
  fault(
    "root at 0",
    ["not finite"],
    ["operation"],
    // the length of a vector that is 0
    at("layers.3", sequential(dense(6, 16, he), relu(), dense(16, 8, zeros), lambda(length), dense(1, 3)), classes, cross()),
    at("layers.1", sequential(dense(6, 16), noRoots(), dense(16, 1)), numbers, square()),
  ),
  fault(
    "softmax by hand overflows",
    ["not finite"],
    ["operation"],
    at(
      "layers.3",
      classifier,
      ninefold,
      by((o, t) => crossEntropy(log(add(o, 1e-7)), t), adam(0.5), 60),
    ),
    at(
      /^$/,
      sequential(dense(6, 3)),
      ninefold,
      by((o, t) => neg(sum(mul(log(softmaxByHand(o)), oneHot(t)))), adam(2), 60),
    ),
  ),
  heldOut(
    "division by 0",
    ["not finite"],
    ["operation"],
    // shares of a sum that is 0
    at("layers.2", shifted(sequential(dense(6, 16, he), relu(), lambda(shares), dense(16, 3)), "layers.0.b", -30), classes, cross()),
    at("layers.0", sequential(inverses(), dense(12, 8), tanh(), dense(8, 3)), oneHots, cross()),
  ),
  heldOut(
    "exp overflows",
    ["not finite"],
    ["operation"],
    at("layers.1", sequential(dense(6, 16, he), grown(60), dense(16, 3)), classes, cross()),
    at("layers.3", sequential(dense(6, 16), tanh(), dense(16, 1), grown(200)), numbers, square()),
  ),
  heldOut(
    "power of negative numbers",
    ["not finite"],
    ["operation"],
    at("layers.1", sequential(dense(6, 16), powers(0.5), dense(16, 3)), classes, cross()),
    at("layers.3", sequential(dense(6, 16), tanh(), dense(16, 16), powers(1.5), dense(16, 1)), numbers, square()),
  ),
]
