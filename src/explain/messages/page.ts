// What the page says besides.
import { count } from "../../data/names.ts"

export const page = {
  language: "en",
  heading: "How E changes with",
  summary: (value: string, error: string, paths: string): string =>
    `That number, w, is ${value}. The error E is ${error}. ${paths} from w to E.`,
  chainRule:
    "The chain rule: the sum over all paths π from w to the error E of the product of the local derivatives along the path, each of one result u by one operand v.",
  agrees: "Checked.",
  disagrees: "Not confirmed.",
  contents: "Contents",
  openAll: "Open all",
  closeAll: "Close all",
  checkCaption: "The same slope in three ways",
  way: "way",
  graphTitle: "The adjoint graph",
  graphOf: (name: string): string => `The way from ${name} to E`,
  graphDescription: (boxes: number, arrows: number, largest: readonly string[]): string =>
    `A graph of ${boxes === 1 ? "1 box" : `${boxes} boxes`} and ${count(arrows, "arrow")} from w to E. The largest path leads through ${largest.join(", ")}. A table of all arrows stands below the graph.`,
  graphBlocked: "Arrows lead from w to the places where the derivative is 0, and nothing but 0 goes on from there to E.",
  legend:
    "A box is an application of an operation: its name, the shape of its result, and what the paths through it add to the slope. Beside an arrow stands what the paths along it add, and how many they are; thick arrows carry much. Blue, solid: the sum is positive. Orange, dashed: it is negative. Grey, dotted: it is 0.",
  blockedLegend:
    "Boxes are the places where nothing gets through; beside an arrow stands how the number there changes with w. Blue, solid: it grows. Orange, dashed: it falls. Grey, dotted: 0 goes on.",
  together: (together: number, all: number, boxes: number): string =>
    `${together} of ${count(all, "application")} are put together in ${boxes === 1 ? "1 box" : `${boxes} boxes`}, drawn with a thick line.`,
  applications: (n: number): string => count(n, "application"),
  shape: (shape: readonly number[]): string => (shape.length ? `[${shape.join(", ")}]` : "one number"),
  others: "others",
  zeroSlope: "derivative 0",
  arrives: "arriving",
  paths: (n: string): string => (n === "1" ? "1 path" : `${n} paths`),
  program: "the program",
  fit: "The whole graph, as wide as the page",
  arrowsTitle: "The graph as a table",
  arrowsCaption: "What goes along each arrow of the graph",
  from: "from",
  to: "to",
  place: "where",
  ofBy: "of, by",
  factors: (i: number): string => `The factors of path ${i}, from the error back`,
  restCaption: "Sums over paths that are not shown one by one",
  usesCaption: "Sums over the paths that begin at each use",
  groupsHint: "In the order of the program; what has parts opens.",
  unitsCaption: (operation: string): string => `Elements of ${operation}`,
  smaller: (n: number): string => `and ${n} smaller ones`,
  updateCaption: "The optimizer's arithmetic",
  symbol: "symbol",
  value: "value",
}
