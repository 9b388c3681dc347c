import { sha256 as digest } from "@noble/hashes/sha2.js"
import { bytesToHex } from "@noble/hashes/utils.js"

/** The SHA-256 checksum of some bytes, in 64 lower-case hexadecimal digits, as `sha256sum` prints it. */
export function sha256(bytes: Uint8Array): string {
  return bytesToHex(digest(bytes))
}
