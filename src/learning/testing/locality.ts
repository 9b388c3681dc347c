// What the update of each layer depends on, read from the recorded program of a rule's step.
import { inline } from "../../compile/inline.ts"
import { simplify } from "../../compile/simplify.ts"
import type { Tensor } from "../../core/tensor.ts"
import { leaves, paths, rebuild, type Tree } from "../../core/tree.ts"
import type { Apply, Node } from "../../graph/graph.ts"
import { record } from "../../graph/record.ts"
import type { Model, Params } from "../../nn/index.ts"
import { fold, key as keyOf } from "../../ops/random.ts"
import type { LearningRule, SlopeRule } from "../../train/rule.ts"
import type { Loss } from "../../train/trainable.ts"

/** What layers see in the forward pass: the outputs of all layers, and whatever else a rule's forward pass makes of them. */
export type Pass = (model: Model, params: Params, x: Tensor, key: Tensor) => Tensor[]

export const outputsOfLayers: Pass = (model, params, x, key) => {
  const all: Tensor[] = []
  let h = x
  model.layers.forEach((layer, i) => {
    ;[h] = layer.apply((params.layers as Params[])[i]!, {}, h, { training: true, key: fold(key, i) })
    all.push(h)
  })
  return all
}

export interface Ways {
  /** By the place of a layer with parameters: names of the arguments that its update depends on, such as `params.layers.2.w`. */
  readonly updates: ReadonlyMap<number, ReadonlySet<string>>
  /** The same for codes, by layer: operations that the rule has marked with the scope `codes.0`, `codes.1`, ... */
  readonly codes: ReadonlyMap<number, ReadonlySet<string>>
}

/**
 * Ways from arguments to updates in one recorded step. They end at the activations of the forward pass, which any layer may see, and at codes, which
 * stand in the result as `codes.0`. Everything else is gone through.
 */
export function waysOf(rule: LearningRule, model: Model, loss: Loss, x: Tensor, y: Tensor, pass = outputsOfLayers): Ways {
  const { params, state } = model.init(keyOf(1), x.shape.slice(1))
  const own = rule.init?.(model, params, x.shape.slice(1), keyOf(2)) ?? { kept: {}, learned: {} }
  const given = { params, own, x, y, key: keyOf(3) } as unknown as Tree
  const names = paths(given)
  let slopeNames: string[] = []
  const step = (xs: readonly Tensor[]): Tensor[] => {
    const { params, own, x, y, key } = rebuild(given, xs)
    const { params: slopes } = (rule as SlopeRule).slopes({ model, loss, params, own, state, x, y, key })
    slopeNames = paths(slopes)
    return [...leaves(slopes), ...pass(model, params, x, key)]
  }
  const { graph: recorded, captured } = record(
    step,
    leaves(given).map(x => x.aval),
  )
  if (captured.length) throw new Error(`the step of ${rule.config.kind} uses ${captured.length} values from outside`)
  const graph = simplify(inline(recorded))
  const madeBy = new Map<Node, Apply>(graph.nodes.flatMap(n => n.outs.map(o => [o, n] as const)))
  const seen = new Set(graph.outputs.slice(slopeNames.length))
  const inputs = new Map(graph.inputs.map((n, i) => [n, names[i]!]))
  const codeOf = (n: Apply): string | undefined => n.scope.find(s => s.startsWith("codes."))

  /** Arguments that `starts` depend on; what belongs to the code `within` is gone through. */
  const reach = (starts: readonly Node[], within?: string): Set<string> => {
    const found = new Set<string>()
    const done = new Set<Node>()
    const go = (n: Node): void => {
      if (done.has(n)) return
      done.add(n)
      if (inputs.has(n)) found.add(inputs.get(n)!)
      if (seen.has(n) || inputs.has(n)) return
      const made = madeBy.get(n)!
      const code = codeOf(made)
      if (code !== undefined && code !== within) found.add(code)
      else made.args.forEach(go)
    }
    starts.forEach(go)
    return found
  }
  const updates = new Map<number, Set<string>>()
  slopeNames.forEach((name, i) => {
    const layer = Number(name.split(".")[1])
    // the update of a layer is that of all its parameters together
    updates.set(layer, new Set([...(updates.get(layer) ?? []), ...reach([graph.outputs[i]!])]))
  })
  const codes = new Map<number, Set<string>>()
  for (const n of graph.nodes) {
    const code = codeOf(n)
    if (code === undefined) continue
    const l = Number(code.slice("codes.".length))
    codes.set(l, new Set([...(codes.get(l) ?? []), ...reach(n.outs, code)]))
  }
  return { updates, codes }
}

/** Weights of layers above, and signals that the rule does not document, in the updates of layers: `layers.0 <- params.layers.2.w`. */
export function violations({ updates }: Ways, { signals }: Pick<LearningRule, "signals">): string[] {
  return [...updates].flatMap(([layer, names]) =>
    [...names]
      .filter(name => {
        const [root, second, third] = name.split(".")
        if (root === "params") return Number(third) > layer
        if (root === "own") return !signals.includes(third!)
        return root === "codes" && !signals.includes("codes") && second !== undefined
      })
      .map(name => `layers.${layer} <- ${name}`),
  )
}
/** Names of arguments and codes but for those that every layer may see: inputs, targets, the random key and the layer's own parameters. */
export const news = (names: ReadonlySet<string>): string[] => [...names].filter(n => /^(own|codes)\./.test(n)).sort()
