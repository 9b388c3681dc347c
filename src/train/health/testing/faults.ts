// Trainings with one planted fault each, grouped as the rules that find them.
import type { Fault } from "./fault.ts"
import { ACTIVATIONS } from "./faults/activations.ts"
import { COURSE } from "./faults/course.ts"
import { DATA } from "./faults/data.ts"
import { GRADIENTS } from "./faults/gradients.ts"
import { LOSS } from "./faults/loss.ts"
import { OPERATIONS } from "./faults/operations.ts"
import { WEIGHTS } from "./faults/weights.ts"

export const FAULTS: readonly Fault[] = [...DATA, ...LOSS, ...WEIGHTS, ...GRADIENTS, ...ACTIVATIONS, ...COURSE, ...OPERATIONS]
