// Many networks at once: the training step mapped over members, in one program.

import { bytesOf } from "../core/dtype.ts"
import { leaves, type Tree } from "../core/tree.ts"
import { DivergedError } from "./diverged.ts"
import { divide } from "./divide.ts"
import { type EventStream, runOf, stream } from "./events.ts"
import { checked, type FitOptions } from "./options.ts"
import type { Dataset } from "./rows.ts"
import { backprop } from "./rule.ts"
import type { SweepEvent } from "./sweep/events.ts"
import { Gather } from "./sweep/gather.ts"
import { firstCarry, type Group, type Plan, type Sources, type Standing, Training } from "./sweep/group.ts"
import { type Grid, type Member, membersOf, wantMembers } from "./sweep/members.ts"
import { formOfMaker, type Maker } from "./sweep/programs.ts"
import { SweepResult } from "./sweep/result.ts"
import type { Optimizer, Trainable } from "./trainable.ts"
import { visitEventLoop, Watch } from "./watch.ts"

export interface SweepOptions<S> extends Pick<FitOptions, "loss" | "rule" | "epochs" | "batchSize" | "metrics" | "patience" | "signal"> {
  /** How gradients become new parameters, or what makes it from the settings, as in `s => adam(s.learningRate)`. */
  readonly optimizer: Optimizer | ((settings: NoInfer<S>) => Optimizer)
  /** Seeds 0, 1, ... so many, or the seeds. Default: 1, the seed 0. */
  readonly seeds?: number | readonly number[]
  /**
   * What else tells members apart: lists of values by name, of which all combinations are trained, or a list of settings. The functions
   * `optimizer` and `model` make of them what they like. Default: nothing.
   */
  readonly settings?: Grid<S> | readonly S[]
  /** Rows to judge by after each epoch: a data set, or a share of the rows given, the same for all members (by the first seed). */
  readonly validation?: number | Dataset
  /** Most members in one program. Default: as many as fit into the caches of a processor. */
  readonly atOnce?: number
}

/** A sweep that runs: iterate over its events, or await its result, or both. */
export interface SweepRun<S, M extends Trainable> extends AsyncIterable<SweepEvent> {
  readonly result: Promise<SweepResult<S, M>>
}

/**
 * Trains many networks at once, which differ in seeds and settings: the whole training step is mapped over them (as by `vmap`) and compiled
 * into one program. Numbers that the settings decide (learning rates, weight decay, dropout rates, ...) are vectors in that program, wherever
 * they stand; settings that change its operations or shapes (hidden widths, momentum 0) make groups of members, a program each.
 *
 * Each member is what `fit` makes of its seed and settings, up to rounding: first weights, order of rows and dropout are those of the seed.
 * A share of the rows for validation is the same for all members, that of the first seed. A member whose loss is no longer finite is marked
 * and left out of the ranking's head; the others go on. There are no checkpoints and no findings of `health`.
 *
 * Rejects with DivergedError if all members diverge, with TypeError for options that make no sense.
 *
 * Bradbury et al., JAX: composable transformations of Python+NumPy programs (2018): `vmap` of a training step.
 *
 * @example
 * const x = random.normal(random.key(1), [200, 2])
 * const y = x.mul(tensor([3, -1])).sum({ axis: 1, keepdims: true })
 * const run = sweep(dense(2, 1), { x, y }, {
 *   loss: squaredError,
 *   settings: { learningRate: [0.001, 0.01, 0.1] },
 *   optimizer: s => sgd(s.learningRate),
 *   seeds: 4,
 *   validation: 0.1,
 * })
 * const { ranking, best } = await run.result
 * ranking.length  // 12
 * best.params.w  // [[3.0], [-1.0]]
 */
export function sweep<M extends Trainable, S = {}>(
  model: M | ((settings: NoInfer<S>) => M),
  data: Dataset,
  options: SweepOptions<S>,
): SweepRun<S, M> {
  const events = stream<SweepEvent>(e => e.event === "progress")
  return runOf(events, train(model, data, options, events))
}

async function train<M extends Trainable, S>(
  model: M | ((settings: S) => M),
  data: Dataset,
  options: SweepOptions<S>,
  events: EventStream<SweepEvent>,
): Promise<SweepResult<S, M>> {
  // errors in the arguments reject the result, as all others do
  await visitEventLoop()
  const { seeds = 1, settings, atOnce } = options
  wantMembers(settings, seeds)
  const members = membersOf(settings, seeds)
  const plan = await planOf(data, options, members)
  const groups = groupsOf(makersOf(model, options.optimizer, members, plan), members, plan, atOnce)
  const steps = Math.ceil(plan.rows.x.rows / plan.batchSize) * plan.epochs
  events.push({
    event: "start",
    members: members.length,
    programs: groups.map(g => g.members.map(m => m.member)),
    rows: plan.rows.x.rows,
    validationRows: plan.validation?.x.rows ?? 0,
    steps: steps * groups.length,
  })
  let now = 0
  const progress = { push: (e: object): void => events.push({ ...e, program: now } as SweepEvent) }
  const watch = new Watch(steps * groups.length, 0, progress as never)
  const sources = sourcesOf(plan)
  const standings: Standing[] = []
  let reason: "done" | "aborted" = "done"
  for (const group of groups) {
    now = group.group
    const training = new Training(group, plan, sources, events)
    group.members.forEach((m, i) => void (standings[m.member] = training.standings[i]!))
    reason = await training.train(watch, group.group * steps)
  }
  events.push({ event: "end", reason, seconds: watch.seconds() })
  const first = standings.find(s => s.diverged)?.diverged
  if (first && standings.every(s => s.diverged))
    throw new DivergedError(
      `all ${members.length} members of the sweep diverged, the first one at step ${first.step} (epoch ${first.epoch}). ` +
        "Usual remedies: smaller learning rates, standardised inputs, a loss from logits instead of log(softmax(x))",
    )
  return new SweepResult<S, M>(members, standings, plan.rows.x.shape)
}

/** What all members have in common. */
async function planOf<S>(data: Dataset, options: SweepOptions<S>, members: readonly Member<S>[]): Promise<Plan> {
  const { loss, rule = backprop(), epochs = 10, batchSize = 32, metrics = {}, patience = Infinity, validation, signal } = options
  const optimizer = typeof options.optimizer === "function" ? options.optimizer(members[0]!.settings) : options.optimizer
  checked({ loss, rule, epochs, batchSize, metrics, patience, optimizer, ...(validation !== undefined && { validation }) })
  if (typeof (data as { readonly load?: unknown })?.load === "function")
    throw new TypeError(
      "sweep: wanted rows in memory, { x, y }; got a data set that is read piece by piece. Train its networks in turn with fit",
    )
  const { training, validation: held } = await divide(data, validation, members[0]!.seed)
  return { loss, metrics, rule, rows: training, validation: held, epochs, batchSize, patience, signal }
}

/** For each choice of settings what makes its networks; members with one choice share it. */
function makersOf<S>(
  model: Trainable | ((settings: S) => Trainable),
  optimizer: Optimizer | ((settings: S) => Optimizer),
  members: readonly Member<S>[],
  plan: Plan,
): Maker[] {
  const made = new Map<S, Maker>()
  return members.map(({ settings, seed }) => {
    let maker = made.get(settings)
    if (!maker) {
      const own = {
        model: typeof model === "function" ? model(settings) : model,
        optimizer: typeof optimizer === "function" ? optimizer(settings) : optimizer,
      }
      made.set(settings, (maker = { ...own, carry: firstCarry(own, plan, seed) }))
    }
    return maker
  })
}

/** Bytes of parameters and of the optimizer's state that one program works on. */
const CACHED = 2 ** 20

/** Members of one form in one program, or in several programs that are not too large. */
function groupsOf<S>(makers: readonly Maker[], members: readonly Member<S>[], plan: Plan, atOnce: number | undefined): Group[] {
  const batch = Math.min(plan.batchSize, plan.rows.x.rows)
  const forms = new Map<Maker, string>()
  const alike = new Map<string, Member<S>[]>()
  for (const m of members) {
    const maker = makers[m.member]!
    if (!forms.has(maker)) forms.set(maker, formOfMaker(maker, plan, batch))
    const form = forms.get(maker)!
    alike.set(form, [...(alike.get(form) ?? []), m])
  }
  const parts = [...alike.values()].flatMap(all => divided(all, atOnce ?? roomFor(makers[all[0]!.member]!)))
  return parts.map((members, group) => {
    const own = [...new Set(members.map(m => makers[m.member]!))]
    return { group, members, makers: own, of: members.map(m => own.indexOf(makers[m.member]!)) }
  })
}

const roomFor = ({ carry }: Maker): number => {
  const bytes = leaves(carry as Tree).reduce((n, x) => n + x.size * bytesOf(x.dtype), 0)
  return Math.max(1, Math.floor(CACHED / bytes))
}

/** Parts of nearly one size, each at most `most` long. */
function divided<T>(all: readonly T[], most: number): T[][] {
  const parts = Math.ceil(all.length / most)
  const each = Math.ceil(all.length / parts)
  return Array.from({ length: parts }, (_, i) => all.slice(i * each, (i + 1) * each)).filter(p => p.length > 0)
}

function sourcesOf({ rows, validation }: Plan): Sources {
  return {
    x: new Gather(rows.x),
    y: new Gather(rows.y),
    validation: validation && { x: new Gather(validation.x), y: new Gather(validation.y), rows: validation.x.rows },
  }
}
