/** Two copies of the package would not know each other's tensors; better to say so at once. */
export function onlyCopy(): void {
  const key = Symbol.for("adjoint")
  const copies = globalThis as { [key]?: string }
  // as it is: bundlers take `new URL(path, import.meta.url)` for a file to put beside the program, or into it
  const here = import.meta.url
  const there = (copies[key] ??= here)
  if (there !== here)
    throw new Error(`two copies of adjoint are loaded, ${there} and ${here}: run "npm dedupe", or make your bundler use one of them`)
}
