// What draws formulas and graphs is installed by those who want pages.

/** What is used of katex. */
export interface Katex {
  renderToString(
    latex: string,
    options: { output: "mathml" | "htmlAndMathml"; throwOnError: boolean; trust: boolean; strict: "ignore"; maxExpand: number },
  ): string
}
/** What is used of dagre: nodes get their places, edges their points. */
export interface Dagre {
  readonly Graph: new (options: { compound: boolean }) => DagreGraph
  layout(graph: DagreGraph): unknown
}
export interface DagreGraph {
  setGraph(options: object): unknown
  setNode(name: string, size: object): unknown
  setParent(name: string, parent: string): unknown
  setEdge(from: string, to: string, label: object): unknown
  graph(): { readonly width?: number; readonly height?: number }
  node(name: string): Rect
  edge(from: string, to: string): { readonly points: readonly Point[]; readonly x: number; readonly y: number }
}
export interface Point {
  readonly x: number
  readonly y: number
}
/** Around its middle. */
export interface Rect extends Point {
  readonly width: number
  readonly height: number
}

// Within `try`, bundlers let a package be missing.
export async function loadKatex(): Promise<Katex> {
  try {
    return (await import("katex")).default as unknown as Katex
  } catch (error) {
    throw missing(error)
  }
}
export async function loadDagre(): Promise<Dagre> {
  try {
    return (await import("@dagrejs/dagre")) as unknown as Dagre
  } catch (error) {
    throw missing(error)
  }
}
const missing = (cause: unknown): Error => new Error("npm install katex @dagrejs/dagre", { cause })
