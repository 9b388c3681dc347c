import { composite } from "../control/call.ts"
import type { Tensor } from "../core/tensor.ts"
import { greater, mul, where } from "../ops/arithmetic.ts"
import { full } from "../ops/create.ts"
import { wantFloat, wantNumber, wantWidth } from "./checks.ts"
import type { FloatDtype } from "./initializers.ts"
import { keepsWidth, type LayerOf, pick } from "./layer.ts"

export interface PreluOptions {
  /** What slopes start as. Default: 0.25. */
  readonly slope?: number
  /** Default: "f32". */
  readonly dtype?: FloatDtype
}

const bent = /*@__PURE__*/ composite("prelu", {}, (slope: Tensor, x: Tensor) => where(greater(x, 0), x, mul(x, slope)))

/**
 * x where x > 0, else slope x, with a slope that is learned for each of `width` units: [..., width] to [..., width].
 *
 * Parameters: `{ slope }`, [width]. Throws TypeError for a width that is no whole number and where the width does not fit.
 * He et al., Delving deep into rectifiers (2015), equation 1.
 *
 * @example
 * prelu(2).apply({ slope: tensor([0.1, 0.5]) }, {}, tensor([[-1, -1], [2, 2]]))[0]  // [[-0.1, -0.5], [2, 2]]
 */
export function prelu<const Width extends number>(
  width: Width,
  { slope = 0.25, dtype = "f32" }: PreluOptions = {},
): LayerOf<"prelu", Width, Width> {
  wantWidth("prelu", "width", width)
  wantNumber("prelu", "slope", slope, "a number", Number.isFinite)
  wantFloat("prelu", dtype)
  return keepsWidth(
    "prelu",
    width,
    { width, slope, dtype },
    () => ({ params: { slope: full([width], slope, { dtype }) }, state: {} }),
    (params, state, x) => {
      const [slopes] = pick("prelu", "params", params, ["slope"]) as [Tensor]
      return [bent(slopes, x), state]
    },
  )
}
