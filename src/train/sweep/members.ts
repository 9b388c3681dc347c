// Which networks a sweep trains.

/** Named values that tell the networks of a sweep apart. */
export type Settings = { readonly [name: string]: unknown }
/** For each setting the values to try: every combination is trained. */
export type Grid<S> = { readonly [K in keyof S]: readonly S[K][] }

/** One network of a sweep. */
export interface Member<S> {
  /** Its place in the sweep. */
  readonly member: number
  readonly settings: S
  readonly seed: number
}

/** All combinations of settings and seeds: the seeds of one setting are neighbours. */
export function membersOf<S>(settings: Grid<S> | readonly S[] | undefined, seeds: number | readonly number[]): Member<S>[] {
  const all = settings === undefined ? [{} as S] : Array.isArray(settings) ? (settings as readonly S[]) : combinations(settings as Grid<S>)
  const chosen = typeof seeds === "number" ? Array.from({ length: seeds }, (_, i) => i) : seeds
  return all.flatMap(settings => chosen.map(seed => ({ settings, seed }))).map((m, member) => ({ member, ...m }))
}

function combinations<S>(grid: Grid<S>): S[] {
  let all: Settings[] = [{}]
  for (const [name, values] of Object.entries(grid) as [string, readonly unknown[]][])
    all = all.flatMap(before => values.map(value => ({ ...before, [name]: value })))
  return all as S[]
}

/** Throws TypeError for settings and seeds that name no networks. */
export function wantMembers(settings: unknown, seeds: unknown): void {
  const isSeed = (s: unknown): boolean => Number.isSafeInteger(s) && (s as number) >= 0
  if (!(Array.isArray(seeds) ? seeds.length > 0 && seeds.every(isSeed) : isSeed(seeds) && seeds !== 0))
    throw new TypeError(`sweep: \`seeds\` must be how many, or a list of whole numbers >= 0; got ${JSON.stringify(seeds)}`)
  if (settings === undefined) return
  const isList = Array.isArray(settings)
  const sound =
    typeof settings === "object" &&
    settings !== null &&
    (isList ? settings.length > 0 : Object.values(settings).every(values => Array.isArray(values) && values.length > 0))
  if (!sound)
    throw new TypeError(
      `sweep: \`settings\` must be lists of values by name, such as { learningRate: [0.01, 0.1] }, or a list of settings; got ${JSON.stringify(settings)}`,
    )
}
