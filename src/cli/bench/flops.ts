// Floating-point operations of a training step, by one convention: a multiplication and an addition for each weight and example
// forwards, twice as many backwards; biases count as weights, and what is neither (activations, losses, updates) does not count.

/** Backwards there are two products for the one forwards. */
const FORWARD_AND_BACKWARD = 3

/** Weights and biases of dense layers of these widths. */
export const denseParameters = (widths: readonly number[]): number =>
  widths.slice(1).reduce((sum, out, i) => sum + widths[i]! * out + out, 0)

/** Operations for `parameters` that each of `examples` meets once. */
export const denseFlops = (parameters: number, examples: number): number => FORWARD_AND_BACKWARD * 2 * parameters * examples

/** Operations of attention's two products in all heads together: every place of a sequence with every other one. */
export const attentionFlops = (sequences: number, length: number, width: number): number =>
  FORWARD_AND_BACKWARD * 2 * 2 * sequences * length * length * width

/** Operations of a convolution in so many windows, each with so many weights. */
export const convFlops = (windows: number, weights: number): number => FORWARD_AND_BACKWARD * 2 * windows * weights
