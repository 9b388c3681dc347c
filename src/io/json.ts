import type { Json } from "../core/json.ts"
import { FormatError } from "./errors.ts"

export type { Json }

/**
 * A value as indented JSON with a line break at its end; the same value gives the same bytes.
 *
 * @param what the value's name, for messages
 * @throws FormatError for what JSON would silently change: numbers that are not finite, functions, class instances.
 */
export function jsonBytes(value: Json, what: string): Uint8Array {
  checkJson(value, what)
  return new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`)
}

/** @throws FormatError if the bytes are not JSON in UTF-8. */
export function parseJson(bytes: Uint8Array, file: string): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes))
  } catch (error) {
    throw new FormatError(`${file} is not JSON in UTF-8 (${(error as Error).message.slice(0, 80)}). Save or download it again.`)
  }
}

/** Whether a value is an object that is no list; JSON values of that kind are safe to read fields of. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function checkJson(value: unknown, path: string): void {
  const kind = typeof value
  if (value === null || value === undefined || kind === "boolean" || kind === "string" || Number.isFinite(value)) return
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) checkJson(item, `${path}[${i}]`)
  } else if (isObject(value) && [Object.prototype, null].includes(Object.getPrototypeOf(value))) {
    for (const [key, item] of Object.entries(value)) checkJson(item, `${path}.${key}`)
  } else {
    throw new FormatError(
      `${path} cannot be saved: wanted text, finite numbers, lists and plain objects, got ${kind === "number" ? value : kind}.`,
    )
  }
}
