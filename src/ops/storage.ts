import { installConversion } from "../core/concrete.ts"
import { convertNow } from "../primitives/storage.ts"

/** Called by the default preset: `tensor` makes f16 and bf16 and `values` reads them. With the small preset the first `cast` brings it. */
export const installStorage = (): void => installConversion(convertNow)
