// How names and short lists are shown in messages.

/** A name or a cell in quotes, shortened to about 40 characters: `quote("age")` is `"age"`. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 37)}...` : text)
}

/** Up to `limit` names in quotes and how many were left out: `"a", "b" and 3 more`. */
export function listNames(names: readonly string[], limit = 12): string {
  const shown = names.slice(0, limit).map(quote).join(", ")
  return names.length > limit ? `${shown} and ${names.length - limit} more` : shown
}

/** A count with its noun: `count(1, "row")` is `1 row`, `count(2, "row")` is `2 rows`. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`
}

/**
 * The candidate that `name` was probably meant to be, or undefined if none is near: equal but for case, blanks and punctuation, or at
 * most a third of its letters apart (Levenshtein distance).
 *
 * @example closest("petal length", ["petal_length", "petal_width"]) // "petal_length"
 */
export function closest(name: string, candidates: readonly string[]): string | undefined {
  const wanted = fold(name)
  let best: string | undefined
  let bestDistance = Math.floor(wanted.length / 3) + 1
  for (const candidate of candidates) {
    const distance = editDistance(wanted, fold(candidate))
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

function fold(name: string): string {
  return name.toLowerCase().replace(/[\s_\-.]+/g, "")
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}
