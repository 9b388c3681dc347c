// The adjoint graph as SVG: dagre says where boxes and arrows lie.
import type { Explanation, Group } from "../explanation.ts"
import { say } from "../messages/index.ts"
import { type Arrow, type Box, type Drawing, drawingOf } from "./boxes.ts"
import { type Cluster, Layout, type Line, type Vertex } from "./layout.ts"
import type { Dagre } from "./libraries.ts"
import { fewDigits, number, short, signOf } from "./numbers.ts"

const words = say.page

/** Names longer than this are cut in the middle. */
const LONGEST = 26

export interface Figure {
  /** The element `svg`. */
  readonly svg: string
  /** In pixels. */
  readonly width: number
  readonly height: number
  /** What was put together, if anything. */
  readonly note: string
  readonly drawing: Drawing
}

/** With `style`, the element holds its own style sheet, as a file of its own needs. */
export function figureOf(e: Explanation, dagre: Dagre, style?: string): Figure {
  const drawing = drawingOf(e)
  const isBlocked = e.numberOfPaths === 0
  const boxes = isBlocked ? [] : drawing.boxes
  const inner = isBlocked ? blockedVertices(e) : boxes.map(boxVertex)
  const lines = isBlocked ? blockedLines(e) : [...drawing.arrows.map(line), ...ending(e, drawing)]
  const graph = new Layout(dagre, [scalarVertex(e), ...inner, errorVertex(e)], lines, clustersOf(boxes))
  const svg = graph.svg({ title: words.graphOf(e.of.name), description: describe(e, drawing), ...(style !== undefined && { style }) })
  return { svg, ...graph.size, note: noteOf(e, drawing), drawing }
}

const describe = (e: Explanation, { boxes, arrows }: Drawing): string =>
  e.numberOfPaths === 0
    ? words.graphBlocked
    : words.graphDescription(boxes.length, arrows.length, [
        ...new Set(e.paths[0]?.factors.toReversed().map(f => [...f.scope, f.operation].join("/"))),
      ])

function noteOf(e: Explanation, { boxes }: Drawing): string {
  const several = boxes.filter(b => b.applications.length > 1)
  const together = several.reduce((n, b) => n + b.applications.length, 0)
  return several.length ? words.together(together, e.applications.length, several.length) : ""
}

// vertices

const SCALAR = "scalar"
const ERROR = "error"

const cut = (name: string): string => {
  const half = LONGEST >> 1
  return name.length <= LONGEST ? name : `${name.slice(0, half)}…${name.slice(1 - half)}`
}
const scalarVertex = ({ of }: Explanation): Vertex => ({
  id: SCALAR,
  lines: [cut(of.name), number(of.value)],
  whole: of.name,
  look: "start",
  round: true,
})
const errorVertex = ({ error }: Explanation): Vertex => ({ id: ERROR, lines: ["E", number(error)], whole: "E", look: "end", round: true })

function boxVertex(box: Box): Vertex {
  const [only, ...others] = box.applications
  const isOne = others.length === 0
  const name = isOne ? only!.operation : (box.group?.name ?? words.others)
  const scope = isOne ? only!.scope : (box.group?.path ?? box.within.at(-1)?.path ?? [])
  const size = isOne ? words.shape(only!.shape) : words.applications(box.applications.length)
  return {
    id: `${box.id}`,
    lines: [cut(name), size, short(box.contribution)],
    whole: [...scope, ...(box.group && !isOne ? [] : [name])].join("/"),
    look: `${signOf(box.contribution)}${isOne ? "" : " many"}`,
    round: false,
    least: Math.min(150, 12 * Math.max(0, ...box.within.map(g => g.name.length)) - 16),
  }
}
const blockedVertices = ({ blocked: { places } }: Explanation): Vertex[] =>
  places.map((p, i) => ({
    id: `${i}`,
    lines: [cut(p.operation), cut(p.at.name), `= ${number(p.at.value)}`, words.zeroSlope],
    whole: p.sentence,
    look: "zero",
    round: false,
  }))

// arrows

const line = (a: Arrow): Line => ({
  ...ends(a.from, a.to),
  contribution: a.contribution,
  label: [short(a.contribution), words.paths(fewDigits(a.count))],
})
const ends = (from: number, to: number): { from: string; to: string } => ({ from: from < 0 ? SCALAR : `${from}`, to: `${to}` })

/** The last box gives the error. */
function ending(e: Explanation, { boxes, arrows }: Drawing): Line[] {
  const last = boxes.findLast(b => !arrows.some(a => a.from === b.id))
  return [{ from: last ? `${last.id}` : SCALAR, to: ERROR, contribution: e.sumOfPaths }]
}
/** What arrives where the derivative is 0, and the 0 that goes on from there. */
const blockedLines = ({ blocked: { places } }: Explanation): Line[] =>
  places.flatMap((p, i) => [
    { ...ends(-1, i), contribution: p.arriving, label: [words.arrives, short(p.arriving)] as const },
    { from: `${i}`, to: ERROR, contribution: 0, label: ["0", ""] as const },
  ])

// open groups

function clustersOf(boxes: readonly Box[]): Cluster[] {
  const ids = new Map<Group, string>()
  for (const group of boxes.flatMap(b => b.within)) if (!ids.has(group)) ids.set(group, `g${ids.size}`)
  const clusters = new Map<Group, Cluster>()
  for (const { id, within } of boxes) {
    within.forEach((group, i) => {
      const inner = within[i + 1] ? ids.get(within[i + 1]!)! : `${id}`
      const made = clusters.get(group) ?? { id: ids.get(group)!, name: cut(group.name), members: new Set<string>() }
      clusters.set(group, { ...made, members: new Set([...made.members, inner]) })
    })
  }
  return [...clusters.values()]
}
