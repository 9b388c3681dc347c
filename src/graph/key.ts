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

/** Parameters of a node as text; graphs by identity, and the numbers that JSON would confuse by name. */
export const paramsKey = (params: unknown): string =>
  params === null || params === undefined
    ? ""
    : JSON.stringify(params, (_key, v) => {
        if (typeof v === "number" && (!Number.isFinite(v) || Object.is(v, -0))) return Object.is(v, -0) ? "-0" : String(v)
        return isGraph(v) ? `#${idOf(v)}` : v
      })
