// The adjoint graph with so many boxes as can be looked at: what is large opens, the rest is put together.
import type { Application, Explanation, Group, Rest } from "../explanation.ts"
import { counted } from "../sums.ts"

/** A vertex of the drawing: one application, or several that follow each other. */
export interface Box extends Rest {
  readonly id: number
  readonly applications: readonly Application[]
  /** The group that is closed in this box; none for a single application, and for others of an open group. */
  readonly group?: Group
  /** The open groups around it, outermost first. */
  readonly within: readonly Group[]
}
/** From one box, or the scalar (-1), to another. */
export interface Arrow extends Rest {
  readonly from: number
  readonly to: number
}
export interface Drawing {
  readonly boxes: readonly Box[]
  readonly arrows: readonly Arrow[]
}

/** As many boxes as are drawn. */
export const MOST = 80
/** A group that shows fewer of its parts than these tells nothing. */
const LEAST = 4

/**
 * Boxes are runs of the program: no way leads back into one, and so each path enters it once at most and sums over paths stay exact.
 */
export function drawingOf(e: Explanation, most = MOST): Drawing {
  const view = new View(e)
  if (!view.open(e.groups, most)) return view.drawing()
  const waiting = [...e.groups.groups]
  const largest = (): Group => waiting.reduce((a, b) => (Math.abs(b.contribution) > Math.abs(a.contribution) ? b : a))
  while (waiting.length) {
    const [group] = waiting.splice(waiting.indexOf(largest()), 1)
    if (view.shows(group!) && view.open(group!, most)) waiting.push(...group!.groups)
  }
  return view.drawing()
}

/** An application that is drawn, and the groups around it. */
interface Leaf {
  readonly application: Application
  readonly groups: readonly Group[]
}
interface Run {
  readonly key: Group | Application
  readonly leaves: Leaf[]
}

class View {
  private readonly links: Explanation["links"]
  private readonly leaves: readonly Leaf[]
  /** Open groups, and which of their parts are shown one by one. */
  private readonly opened = new Map<Group, ReadonlySet<Group | number>>()
  constructor({ applications, links, groups }: Explanation) {
    this.links = links
    const around = new Map<number, readonly Group[]>()
    const visit = (g: Group, outer: readonly Group[]): void => {
      const here = [...outer, g]
      for (const id of g.applications) around.set(id, here)
      for (const inner of g.groups) visit(inner, here)
    }
    visit(groups, [])
    this.leaves = [...applications]
      .sort((a, b) => a.id - b.id)
      .map(application => ({ application, groups: around.get(application.id) ?? [groups] }))
  }

  /** Opens a group, to its largest parts if there is no room for all. */
  open(group: Group, most: number): boolean {
    const byId = new Map(this.leaves.map(l => [l.application.id, l.application]))
    const parts: (Group | number)[] = [...group.groups, ...group.applications.filter(id => byId.has(id))]
    const sizeOf = (part: Group | number): number => Math.abs(typeof part === "number" ? byId.get(part)!.contribution : part.contribution)
    parts.sort((a, b) => sizeOf(b) - sizeOf(a))
    for (let n = parts.length; n === parts.length || n >= LEAST; n = Math.min(most, n >> 1)) {
      this.opened.set(group, new Set(parts.slice(0, n)))
      if (this.runs().length <= most) return true
    }
    this.opened.delete(group)
    return false
  }
  /** Whether a group is a box: it is not if it went to the others. */
  shows(group: Group): boolean {
    return this.runs().some(r => r.key === group)
  }

  /** Which box an application belongs to: a closed group, the others of an open one (which has the group as its key too), or its own. */
  private keyOf({ application, groups }: Leaf): { key: Group | Application; within: readonly Group[] } {
    for (const [i, group] of groups.entries()) {
      const shown = this.opened.get(group)
      if (!shown) return { key: group, within: groups.slice(0, i) }
      const part = groups[i + 1] ?? application.id
      if (!shown.has(part)) return { key: group, within: groups.slice(0, i + 1) }
    }
    return { key: application, within: groups }
  }
  private runs(): Run[] {
    const runs: Run[] = []
    for (const leaf of this.leaves) {
      const { key } = this.keyOf(leaf)
      const last = runs.at(-1)
      if (last?.key === key) last.leaves.push(leaf)
      else runs.push({ key, leaves: [leaf] })
    }
    return runs
  }

  drawing(): Drawing {
    const runs = this.runs()
    const boxOf = new Map(runs.flatMap(({ leaves }, id) => leaves.map(l => [l.application.id, id] as const)))
    const arrows = this.arrows(boxOf)
    const boxes = runs.map(({ key, leaves }, id): Box => {
      const applications = leaves.map(l => l.application)
      const { within } = this.keyOf(leaves[0]!)
      const isGroup = "groups" in key && !this.opened.has(key)
      return { id, applications, ...(isGroup && { group: key }), within: within.slice(1), ...entering(arrows, id) }
    })
    return { boxes, arrows }
  }
  private arrows(boxOf: ReadonlyMap<number, number>): Arrow[] {
    const sums = new Map<string, { from: number; to: number; contribution: number; count: bigint }>()
    for (const link of this.links) {
      const [from, to] = [boxOf.get(link.from) ?? -1, boxOf.get(link.to)]
      if (to === undefined || from === to) continue
      const sum = sums.get(`${from} ${to}`) ?? { from, to, contribution: 0, count: 0n }
      sums.set(`${from} ${to}`, { ...sum, contribution: sum.contribution + link.contribution, count: sum.count + BigInt(link.count) })
    }
    return [...sums.values()].map(s => ({ ...s, count: counted(s.count) }))
  }
}

function entering(arrows: readonly Arrow[], id: number): Rest {
  const all = arrows.filter(a => a.to === id)
  return {
    contribution: all.reduce((sum, a) => sum + a.contribution, 0),
    count: counted(all.reduce((n, a) => n + BigInt(a.count), 0n)),
  }
}
