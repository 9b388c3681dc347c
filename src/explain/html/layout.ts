// Boxes with lines of text, arrows between them and frames around them as SVG; dagre says where they lie.
import { escaped } from "./escape.ts"
import type { Dagre, DagreGraph, Point } from "./libraries.ts"
import { type Sign, signOf } from "./numbers.ts"

/** A box, or a round one for where the graph begins and ends. */
export interface Vertex {
  readonly id: string
  /** The first one is its name. */
  readonly lines: readonly string[]
  /** The whole name, for those who point at it. */
  readonly whole: string
  /** Classes of the style sheet. */
  readonly look: string
  readonly round: boolean
  /** As wide as this many pixels at least. */
  readonly least?: number
}
export interface Line {
  readonly from: string
  readonly to: string
  readonly contribution: number
  /** Two lines beside the arrow. */
  readonly label?: readonly [string, string]
}
/** A frame around vertices and other frames. */
export interface Cluster {
  readonly id: string
  readonly name: string
  readonly members: ReadonlySet<string>
}
export interface Words {
  readonly title: string
  readonly description: string
  /** For a file of its own. */
  readonly style?: string
}

/** In pixels; letters are as wide as those of the widest common fonts. */
const LINE = 17
const LETTER = 7.6
const SMALL = 6.4
const PAD = 10
const HEAD = 10
/** Room above what a frame holds for its name. */
const NAME = 10
const widest = (lines: readonly string[], letter: number): number => Math.max(...lines.map(l => [...l].length)) * letter
const px = (x: number): string => `${Math.round(10 * x) / 10}`

export class Layout {
  private readonly graph: DagreGraph
  private readonly vertices: readonly Vertex[]
  private readonly lines: readonly Line[]
  private readonly clusters: readonly Cluster[]
  constructor(dagre: Dagre, vertices: readonly Vertex[], lines: readonly Line[], clusters: readonly Cluster[]) {
    this.vertices = vertices
    this.lines = lines
    this.clusters = clusters
    const graph = new dagre.Graph({ compound: true })
    graph.setGraph({ rankdir: "TB", nodesep: 30, ranksep: 26, edgesep: 16, marginx: 12, marginy: 12 })
    for (const { id, lines: text, round, least = 0 } of vertices)
      graph.setNode(id, {
        width: Math.max(least, widest(text, LETTER) + 2 * PAD + (round ? 16 : 0)),
        height: text.length * LINE + 2 * PAD - 4,
      })
    for (const c of clusters) graph.setNode(c.id, {})
    for (const c of clusters) for (const inner of c.members) graph.setParent(inner, c.id)
    for (const l of lines)
      graph.setEdge(l.from, l.to, { labelpos: "r", width: l.label ? widest(l.label, SMALL) + 8 : 0, height: l.label ? 2 * LINE : 0 })
    dagre.layout(graph)
    this.graph = graph
  }

  get size(): { readonly width: number; readonly height: number } {
    const { width = 0, height = 0 } = this.graph.graph()
    return { width, height }
  }

  svg({ title, description, style }: Words): string {
    const { width, height } = this.size
    const size = `width="${px(width)}" height="${px(height)}" viewBox="0 0 ${px(width)} ${px(height)}"`
    const most = this.lines.reduce((m, l) => Math.max(m, Math.abs(l.contribution)), 0)
    const labels = 'role="img" aria-labelledby="adjoint-graph-title adjoint-graph-desc"'
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" class="adjoint-graph" ${labels} ${size}>`,
      `<title id="adjoint-graph-title">${escaped(title)}</title><desc id="adjoint-graph-desc">${escaped(description)}</desc>`,
      style === undefined ? "" : `<style>${style}</style><rect class="paper" width="100%" height="100%"/>`,
      `<defs>${(["pos", "neg", "zero"] as const).map(marker).join("")}</defs>`,
      ...this.clusters.map(c => this.frame(c)),
      ...this.lines.map(l => this.arrow(l, most)),
      ...this.vertices.map(v => this.box(v)),
      ...this.lines.map(l => this.label(l)),
      "</svg>",
    ].join("\n")
  }

  private frame({ id, name }: Cluster): string {
    const { x, y, width, height } = this.graph.node(id)
    const [left, top] = [x - width / 2, y - height / 2 - NAME]
    const rect = `<rect class="frame" x="${px(left)}" y="${px(top)}" width="${px(width)}" height="${px(height + NAME)}" rx="8"/>`
    return `${rect}<text class="frame-name" x="${px(left + 8)}" y="${px(top + 14)}">${escaped(name)}</text>`
  }
  private box({ id, lines, whole, look, round }: Vertex): string {
    const { x, y, width, height } = this.graph.node(id)
    const first = y - ((lines.length - 1) * LINE) / 2 + 4.5
    const text = lines.map(
      (l, i) => `<text class="${i ? "detail" : "title"}" x="${px(x)}" y="${px(first + i * LINE)}">${escaped(l)}</text>`,
    )
    const rect = `<rect x="${px(x - width / 2)}" y="${px(y - height / 2)}" width="${px(width)}" height="${px(height)}" rx="${round ? px(height / 2) : 4}"/>`
    return `<g class="box ${look}"><title>${escaped(whole)}</title>${rect}${text.join("")}</g>`
  }
  private arrow({ from, to, contribution }: Line, most: number): string {
    const width = 1 + (most > 0 ? 4 * (Math.abs(contribution) / most) : 0)
    const sign = signOf(contribution)
    const path = smooth(this.graph.edge(from, to).points)
    return `<path class="arrow ${sign}" d="${path}" stroke-width="${width.toFixed(2)}" marker-end="url(#adjoint-${sign})"/>`
  }
  private label({ from, to, label }: Line): string {
    if (!label) return ""
    const { x, y } = this.graph.edge(from, to)
    const at = px(x - widest(label, SMALL) / 2)
    return `<text class="label" x="${at}" y="${px(y - 3)}">${escaped(label[0])}<tspan x="${at}" dy="${LINE - 3}">${escaped(label[1])}</tspan></text>`
  }
}

const marker = (sign: Sign): string =>
  `<marker id="adjoint-${sign}" class="${sign}" viewBox="0 0 10 10" refX="1" refY="5" markerWidth="${HEAD}" markerHeight="${HEAD + 2}" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L10 5L0 10z"/></marker>`

/** A curve along the points: through the middles between them, straight at its ends, and short of the last by the head of an arrow. */
function smooth(points: readonly Point[]): string {
  const at = ({ x, y }: Point): string => `${px(x)} ${px(y)}`
  const between = (a: Point, b: Point, share: number): Point => ({ x: a.x + share * (b.x - a.x), y: a.y + share * (b.y - a.y) })
  const [first, ...rest] = points
  const bends = rest.slice(0, -1).map((p, i) => `Q${at(p)} ${at(between(p, rest[i + 1]!, 0.5))}`)
  const [last, before] = [points.at(-1)!, points.at(-2)!]
  const length = Math.sqrt((last.x - before.x) ** 2 + (last.y - before.y) ** 2)
  return [`M${at(first!)}`, ...bends, `L${at(between(last, before, Math.min(0.45, HEAD / length)))}`].join("")
}
