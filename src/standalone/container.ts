// One WebAssembly file for everything: the library as its code, and what else there is as custom sections, which any runtime hands out.

const EMPTY = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)

/** The module `code`, or an empty one, with sections added. */
export function withSections(code: Uint8Array | undefined, sections: ReadonlyMap<string, Uint8Array>): Uint8Array<ArrayBuffer> {
  const parts: (Uint8Array | readonly number[])[] = [code ?? EMPTY]
  for (const [name, content] of sections) {
    const title = new TextEncoder().encode(name)
    const head = [...unsigned(title.length), ...title]
    parts.push([0, ...unsigned(head.length + content.length), ...head], content)
  }
  const bytes = new Uint8Array(parts.reduce((n, p) => n + p.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** LEB128. */
function unsigned(n: number): number[] {
  const low = n % 128
  return n < 128 ? [low] : [low + 128, ...unsigned((n - low) / 128)]
}

/** Text that `atob` reads. */
export function base64(bytes: Uint8Array): string {
  let text = ""
  // few enough at a time to be arguments, and a multiple of three, so that the pieces join
  for (let i = 0; i < bytes.length; i += 0x6000) text += btoa(String.fromCharCode(...bytes.subarray(i, i + 0x6000)))
  return text
}
