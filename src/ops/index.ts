export * from "./activations.ts"
export type { Operand } from "./align.ts"
export {
  abs,
  add,
  cast,
  clip,
  cos,
  div,
  equal,
  exp,
  expm1,
  floor,
  greater,
  greaterEqual,
  less,
  lessEqual,
  log,
  log1p,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  maximum,
  minimum,
  mul,
  neg,
  notEqual,
  pow,
  sign,
  sin,
  sqrt,
  square,
  stopGradient,
  sub,
  tanh,
  where,
} from "./arithmetic.ts"
export * from "./arrange.ts"
export {
  type AveragePoolOptions,
  avgPool,
  type ConvOptions,
  type ConvTransposeOptions,
  conv1d,
  conv2d,
  convTranspose1d,
  convTranspose2d,
  type Each,
  maxPool,
  type Padding,
  type PoolOptions,
} from "./convolution.ts"
export {
  arange,
  type CreateOptions,
  eye,
  full,
  linspace,
  meshgrid,
  oneHot,
  ones,
  onesLike,
  zeros,
  zerosLike,
} from "./create.ts"
export * from "./cumulative.ts"
export * from "./diagonal.ts"
export * from "./einsum.ts"
export * from "./indexing.ts"
export * as random from "./random.ts"
export { argmax, argmin, logsumexp, max, mean, min, prod, type ReduceOptions, sum } from "./reduction.ts"
export * from "./scatter.ts"
export {
  at,
  broadcastTo,
  concat,
  expandDims,
  matmul,
  type Part,
  pad,
  ravel,
  reshape,
  slice,
  squeeze,
  stack,
  take,
  transpose,
} from "./shape.ts"
export * from "./sort.ts"
export * from "./special.ts"
export * from "./statistics.ts"
