// Every sentence of an explanation, by subject. Another language is another folder like this one.
import { chains } from "./chains.ts"
import { diagnosis } from "./diagnosis.ts"
import { network } from "./network.ts"
import { origin } from "./origin.ts"
import { page } from "./page.ts"

export const say = { network, chains, page, origin, diagnosis }
