// The sentences of all findings, in one place so that other languages can follow.

/** The numbers behind a finding, by name. */
export type Evidence = Readonly<Record<string, number>>

type Sentences = readonly [message: string, advice: string]
type Say = (e: Readonly<Record<string, string>>, where: string, cause: string, numbers: Evidence) => Sentences

/** A number for a sentence. */
const show = (x: number): string => (Number.isFinite(x) ? String(Number(x.toPrecision(3))) : String(x))
const percent = (x: number): string => `${Math.round(100 * x)} %`

const BECAUSE: Readonly<Record<string, string>> = {
  "activation derivative": "the derivatives of its activations",
  weight: "its weights",
  bias: "its biases",
  "input scale": "the scale of its inputs",
  "learning rate": "the learning rate",
}
const TRY: Readonly<Record<string, string>> = {
  "activation derivative": "Try relu with He weights, normalization layers, residual connections, or fewer layers.",
  weight: 'Try weights of the usual size: init "he" for rectified units, "glorot" for tanh and logistic ones.',
  bias: "Try biases that start at 0.",
  "input scale": "Standardise the inputs: subtract each feature's mean and divide by its standard deviation.",
  "learning rate": "Try a learning rate a tenth as large, or a warm-up.",
  targets: "Standardise the targets, and undo it on the predictions.",
  "weight decay": "Try a weight decay a tenth as large.",
}
const remedy = (cause: string): string => TRY[cause] ?? ""

const PHASES: Readonly<Record<string, string>> = { forward: "on the way forward", backward: "on the way back", update: "in the update" }
/** Usual remedies by operation. */
const OPERATIONS: Readonly<Record<string, string>> = {
  log: "Add a small number before the logarithm, or use a loss from logits (crossEntropy, binaryCrossEntropy) or logSoftmax.",
  exp: "Subtract the largest number before exp, or use softmax, logsumexp or a loss from logits, which do.",
  div: "Divide by x + 1e-6, or by maximum(x, 1e-6); for a softmax written by hand take softmax or a loss from logits.",
  sqrt: "Add a small number under the root: sqrt(x + 1e-12).",
  pow: "Keep the base of pow away from 0 and negative numbers.",
}

const SENTENCES: Readonly<Record<string, Say>> = {
  "input not finite": e => [`The inputs hold ${e.count} NaN or infinite numbers.`, "Remove those rows, or fill in the missing numbers."],
  "target not finite": e => [`The targets hold ${e.count} NaN or infinite numbers.`, "Remove those rows, or fill in the missing numbers."],
  "inputs large": (e, where) => [
    `The inputs of ${where} are large: feature ${e.feature} has mean ${e.mean} and standard deviation ${e.std}.`,
    TRY["input scale"]!,
  ],
  "inputs shifted": (e, where) => [
    `The inputs of ${where} are far from 0: feature ${e.feature} has mean ${e.mean} but standard deviation ${e.std} only.`,
    TRY["input scale"]!,
  ],
  "inputs tiny": (e, where) => [
    `The inputs of ${where} are tiny: the largest is ${e.largest}, and feature ${e.feature} has standard deviation ${e.std}.`,
    TRY["input scale"]!,
  ],
  "constant input": (e, where, _cause, { count }) => [
    count === 1
      ? `Input feature ${e.feature} of ${where} is always ${e.value}: it tells nothing.`
      : `${e.count} input features of ${where} never change, such as feature ${e.feature}, always ${e.value}: they tell nothing.`,
    "Leave it out, and look whether the data were read as intended.",
  ],
  "target scale": e => [`The targets are large, from ${e.low} to ${e.high}, while a network's outputs begin near 1.`, TRY.targets!],
  "softmax twice": (_e, where) => [
    `${where} gives probabilities that add up to 1, but the loss takes logits and computes softmax itself: its gradients become small.`,
    "Leave out the softmax at the end of the model, and apply it to predictions only.",
  ],
  "logits limited": (e, where) => [
    `${where} keeps the outputs between ${e.low} and ${e.high}, but the loss takes logits, any numbers: it cannot become small.`,
    "Leave out the activation at the end of the model.",
  ],
  "one class": () => [
    "The model has one output, and of one class the cross-entropy is always 0.",
    "Use binaryCrossEntropy for yes or no, or one output for each class.",
  ],
  "targets no classes": e => [
    `Targets go from ${e.low} to ${e.high}, but with ${e.classes} outputs the classes are 0 to one less.`,
    "Count classes from 0, and give the model one output for each.",
  ],
  "targets no probabilities": e => [
    `Targets go from ${e.low} to ${e.high}, but binary cross-entropy wants them from 0 to 1: else it has no lower bound.`,
    "Write the targets as 0 and 1, or use hinge for -1 and 1, or squaredError for numbers.",
  ],
  "targets no distributions": e => [
    `Targets of one row add up to between ${e.least} and ${e.most}, but cross-entropy wants distributions, which add up to 1.`,
    "Use binaryCrossEntropy where several classes may be true at once.",
  ],
  "targets not signed": e => [
    `Targets go from ${e.low} to ${e.high}, but hinge wants -1 and 1.`,
    "Write the targets as -1 and 1, or use binaryCrossEntropy for 0 and 1.",
  ],
  "targets no counts": e => [
    `Targets go from ${e.low} to ${e.high}, but Poisson counts are not negative.`,
    "Use squaredError for numbers.",
  ],
  "targets out of reach": (e, where) => [
    `${where} gives numbers between ${e.low} and ${e.high} only, but targets go from ${e.least} to ${e.most}.`,
    "Leave out the activation at the end of the model, or scale the targets into its range.",
  ],
  symmetry: (e, where) => [
    `All ${e.units} units of ${where} have equal weights after an update, so they compute and learn the same.`,
    "Start the weights at random.",
  ],
  "weights too large": (e, where) => [
    `The weights of ${where} have root mean square ${e.rms}: with ${e.inputs} inputs they multiply what they read by ${e.gain}; about 1 is usual.`,
    TRY.weight!,
  ],
  "weights grown": (e, where) => [
    `The weights of ${where} have grown from ${e.first} to ${e.rms} (root mean square) while the loss has not fallen.`,
    TRY["learning rate"]!,
  ],
  "weights too small": (e, where) => [
    `The weights of ${where} have root mean square ${e.rms}: with ${e.inputs} inputs they multiply what they read by ${e.gain}; about 1 is usual.`,
    TRY.weight!,
  ],
  "weights shrunk": (e, where, cause) => [
    `The weights of ${where} have shrunk from ${e.first} to ${e.rms} (root mean square).`,
    remedy(cause),
  ],
  vanishing: (e, where, cause) => [
    `The gradient vanishes on its way back: behind the first layer it is ${e.ratio} of what it is at the output (${e.byActivations} by activations, ${e.byWeights} by weights). ${where} learns next to nothing.`,
    remedy(cause),
  ],
  exploding: (e, where, cause) => [
    `The gradient explodes on its way back: behind the first layer it is ${e.ratio} times what it is at the output (${e.byActivations} by activations, ${e.byWeights} by weights; ${e.worst} by ${where}).`,
    remedy(cause),
  ],
  "vanishing in matrices": (e, where, cause) => [
    `The gradient vanishes on its way back: that of ${where} is ${e.ratio} of that of the last of ${e.layers} matrices.`,
    remedy(cause),
  ],
  "exploding in matrices": (e, where, cause) => [
    `The gradient explodes on its way back: that of ${where} is ${e.ratio} times that of the last of ${e.layers} matrices.`,
    remedy(cause),
  ],
  "exploding in time": (e, where) => [
    `The gradient explodes through the time steps of ${where}: at the first it is ${e.ratio} times what it is at the last.`,
    "Try smaller recurrent weights (wh), clipByGlobalNorm before the optimizer, or shorter sequences.",
  ],
  saturation: (e, where, cause, { share }) => [
    `${percent(share!)} of the elements of ${where} are saturated, where the derivative is nearly 0, because of ${BECAUSE[cause] ?? cause}: it reads numbers of size ${e.reads}, times ${e.gain} by weights, and biases of ${e.bias}.`,
    remedy(cause),
  ],
  "dead units": (e, where, cause, { share }) => [
    `${percent(share!)} of the ${e.units} units of ${where} are dead, with derivative 0 for every example, because of ${BECAUSE[cause] ?? cause}.`,
    cause === "learning rate" ? `${TRY["learning rate"]} Or take leakyRelu or gelu.` : `${remedy(cause)} Or take leakyRelu or gelu.`,
  ],
  paralysis: (e, where, cause, { share }) => [
    `Paralysed: ${percent(share!)} of ${where} is saturated, and the loss stands at ${e.now} since it was ${e.start}.`,
    remedy(cause),
  ],
  "rate too high": (e, where) => [
    `Steps are too long: an update of ${where} was ${e.ratio} of the size of its weights; about 0.001 is usual. The loss went from ${e.start} to ${e.now}.`,
    TRY["learning rate"]!,
  ],
  "rate too low": e => [
    `Steps are too short: an update is ${e.ratio} of the size of the weights, and all of them together were at most ${e.moved}. The loss went from ${e.start} to ${e.now}.`,
    "Try a learning rate ten or a hundred times as large.",
  ],
  divergence: (e, _where, cause) => [
    `The loss grows: from ${e.start} to ${e.now}. Updates were up to ${e.ratio} of the size of the weights.`,
    remedy(cause),
  ],
  "weights not finite": (_e, where) => [`The first weights of ${where} hold NaN or infinite numbers.`, "Look at its initializer."],
  "no number": (e, _where, cause) => [`The loss is ${e.loss}. Updates were up to ${e.ratio} of the size of the weights.`, remedy(cause)],
  overflow: (e, where, cause) => [
    `Numbers have grown step by step until they overflowed in ${where}, because of ${BECAUSE[cause] ?? cause}: the loss was ${e.first} at first, the largest number in the end is ${e.largest}. Updates were up to ${e.ratio} of the size of the weights.`,
    remedy(cause),
  ],
  origin: (e, where, detail) => {
    const [operation = "", phase = ""] = detail.split(" ")
    return [
      `At step ${e.step} ${operation} in ${where} gave the first number that is not finite, ${PHASES[phase]}: it read numbers from ${e.low} to ${e.high}.`,
      OPERATIONS[operation] ?? "Limit what this operation reads, or add a small number where it divides.",
    ]
  },
  "no lower bound": e => [
    `The loss falls without end: from ${e.start} to ${e.now}.`,
    "Look at its sign, and whether its targets are what it expects.",
  ],
  plateau: (e, _where, _cause, { baseline }) => [
    `Nothing was learned in ${e.steps} steps: the loss went from ${e.start} to ${e.now}${baseline === undefined ? "" : `, and the best constant answer has ${e.baseline}`}.`,
    "Look whether inputs and targets belong together, and try another learning rate or a larger model.",
  ],
}

/** What is wrong and what to try. */
export function sentences(what: string, layer: string | undefined, cause: string, evidence: Evidence): Sentences {
  const shown = Object.fromEntries(Object.entries(evidence).map(([name, x]) => [name, show(x)]))
  return SENTENCES[what]!(shown, layer || "the model", cause, evidence)
}
