// Identity of programs as text.
const ids = new WeakMap<object, number>()
let next = 0
/** A number for an object that stays the same as long as the object lives. */
export function idOf(x: object): number {
  let id = ids.get(x)
  if (id === undefined) ids.set(x, (id = next++))
  return id
}

const isGraph = (v: unknown): v is object => typeof v === "object" && v !== null && "inputs" in v && "nodes" in v

/** Parameters of a node as text; graphs by identity. Written out by hand: eager code asks for it at every operation. */
export const paramsKey = (params: unknown): string => (params === null || params === undefined ? "" : text(params))
function text(v: unknown): string {
  if (typeof v === "number") return Object.is(v, -0) ? "-0" : `${v}`
  if (typeof v !== "object" || v === null) return typeof v === "string" ? JSON.stringify(v) : `${v as boolean | null | undefined}`
  if (Array.isArray(v)) return `[${v.map(text)}]`
  if (isGraph(v)) return `#${idOf(v)}`
  let s = "{"
  for (const [key, value] of Object.entries(v as object)) s += `${key}:${text(value)},`
  return `${s}}`
}
