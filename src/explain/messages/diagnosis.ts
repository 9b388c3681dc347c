// What `diagnose` says.
import { count } from "../../data/names.ts"
import type { Diagnosis, Mistake } from "../diagnose/diagnosis.ts"
import type { Line } from "../source-line.ts"
import { mistakeOf } from "./mistakes.ts"
import { capital, listed, placeOf, short } from "./words.ts"

/** What a sentence about a mistake is made from. */
export interface MistakeFacts {
  readonly mistakes: readonly Mistake[]
  readonly layer: string
  readonly leaves: readonly string[]
  readonly follow: readonly string[]
}
export const diagnosis = {
  columns: { yours: "yours", truth: "true", ratio: "yours / true" },
  kink: "The loss has a kink at these inputs, as relu has at 0; the gradients were compared at inputs nearby.",
  reference: (reference: number, differences: number): string =>
    `Along one direction adjoint's gradient says ${short(reference)}, differences ${short(differences)}. Is there a kink or a jump close by, ` +
    "something random, or a rule of customVjp in forward? diagnose(forward, inputs) looks at such rules.",
  verdict: (verdict: Diagnosis["verdict"], all: number, wrong: number, points: number): string =>
    verdict === "right"
      ? all === 1
        ? "The gradient is right."
        : `All ${all} gradients are right.`
      : verdict === "wrong"
        ? `${wrong} of ${count(all, "gradient")} ${wrong === 1 ? "is" : "are"} wrong; explanations were tried at ${count(points, "place")}.`
        : "Nothing is said about the gradient: the reference and differences do not agree.",
  line: (line: Line): string => `forward: ${placeOf(line)}`,
  alternatives: (all: readonly (readonly Mistake[])[]): string =>
    `The same numbers would come of: ${all.map(ms => ms.map(m => mistakeOf(m).is).join(", and ")).join("; or: ")}.`,

  finding({ mistakes, layer, leaves, follow }: MistakeFacts, how: "hand" | "grad"): { readonly sentence: string; readonly remedy: string } {
    const told = mistakes.map(mistakeOf)
    const is = `${layer ? `${layer}: ` : ""}${told.map(t => t.is).join(", and ")}`
    const after = follow.length ? ` ${listed(follow)} ${follow.length === 1 ? "is" : "are"} wrong because of it.` : ""
    const which = ` (gradient of ${listed(leaves)})`
    const rule = how === "grad" ? " Look at the rule that was given with customVjp or customJvp." : ""
    return {
      sentence: `${layer ? is : capital(is)}${which}.${after}`,
      remedy: `${told.map(t => t.fix).join(" ")}${rule}`,
    }
  },
}
