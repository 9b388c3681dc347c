// The applications that an explanation is made of: which composites open, and what the applications are called.
import { type Graph, memo } from "../graph/graph.ts"
import { type Composite, type Detail, isRule, type Step } from "./tape.ts"

/** Which composites open: all, none, or those with one of these names or within one of these scopes. */
export type Open = boolean | readonly string[]

/** Loops and branches are always written out: a loop within a composite shows a turn at a time. */
export const explained = (open: Open): Detail => ({
  opens(c) {
    // rules that the user gave stay whole: their insides are not what is differentiated
    if (isRule(c.prim)) return false
    // what has no name is nothing to the reader
    return c.name === "" || (!isSolution(c) && hasLoop(c.body)) || isAsked(c, open)
  },
  unrolled: Number.POSITIVE_INFINITY,
  turn: t => `t=${t}`,
  branch: "cond",
})
function isAsked({ name, path }: Composite, open: Open): boolean {
  if (typeof open === "boolean") return open
  const whole = path.join("/")
  return open.some(o => o === name || o === whole || whole.startsWith(`${o}/`))
}
/** How a solution was found is no part of its derivative. */
const isSolution = ({ prim }: Pick<Step, "prim">): boolean => prim.name === "equation" || prim.name === "linear system"

const hasLoop: (g: Graph) => boolean = memo(g =>
  g.nodes.some(n => {
    if (n.prim.meaning.kind === "loop") return true
    if (isSolution(n) || isRule(n.prim)) return false
    const body = n.prim.body?.(n.params).graph as Graph | undefined
    return body !== undefined && hasLoop(body)
  }),
)

/** Scope and name of each application, such as `layers.1/relu`; further ones of one name in one scope are numbered: `layers.0/t=2/mul#2`. */
export function labelsOf(steps: readonly Step[]): string[] {
  const times = new Map<string, number>()
  return steps.map(({ scope, name }) => {
    const whole = [...scope, name].join("/")
    const n = (times.get(whole) ?? 0) + 1
    times.set(whole, n)
    return n === 1 ? whole : `${whole}#${n}`
  })
}
