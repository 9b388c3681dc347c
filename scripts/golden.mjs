// Prints the hash of the deterministic program.
import { golden } from "./golden-program.mjs"

console.log(await golden())
