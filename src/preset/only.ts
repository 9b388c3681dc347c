/** Two copies of the package would not know each other's tensors; better to say so at once. */
export function onlyCopy(version: string): void {
  const key = Symbol.for("adjoint")
  const there = (globalThis as Record<symbol, unknown>)[key] as string | undefined
  const here = new URL("..", import.meta.url).href
  if (there !== undefined && there !== here)
    throw new Error(
      `two copies of adjoint are loaded: ${there} and ${here} (${version}). Run "npm dedupe", or make your bundler use one of them`,
    )
  ;(globalThis as Record<symbol, unknown>)[key] = here
}
