import type { Shape } from "../../core/aval.ts"
import type { Measured } from "../evaluate.ts"
import type { Trainable } from "../trainable.ts"
import { copyOf, TrainedModel } from "../trained.ts"
import { type Standing, score } from "./group.ts"
import type { Member } from "./members.ts"

/** A row of a sweep's table. */
export interface SweepRow<S> extends Member<S> {
  /** Epochs that were finished. */
  readonly epochs: number
  /** The epoch whose losses these are: that with the lowest validation loss, or training loss where there are no validation rows. */
  readonly bestEpoch: number
  /** Mean training loss over the best epoch; NaN if none was finished. */
  readonly loss: number
  /** Loss and metrics of the validation rows after the best epoch. */
  readonly validation?: Measured
  /** Where the loss became NaN or infinite; the best epoch was before. */
  readonly diverged?: { readonly epoch: number; readonly step: number }
}

/** What came out of a sweep. */
export class SweepResult<S, M extends Trainable = Trainable> {
  /** In the order of the settings, seeds of one setting side by side. */
  readonly members: readonly SweepRow<S>[]
  /** The same rows, lowest validation loss first (training loss without validation rows); those that diverged are last. */
  readonly ranking: readonly SweepRow<S>[]
  private readonly standings: readonly Standing[]
  private readonly inShape: Shape
  constructor(members: readonly Member<S>[], standings: readonly Standing[], inShape: Shape) {
    ;[this.standings, this.inShape] = [standings, inShape]
    this.members = members.map((m, i) => {
      const { epochs, bestEpoch, loss, validation, diverged } = standings[i]!
      const known = { epochs, bestEpoch, loss: bestEpoch > 0 ? loss : Number.NaN }
      return { ...m, ...known, ...(validation && { validation }), ...(diverged && { diverged }) }
    })
    const place = ({ member, diverged }: SweepRow<S>): number => (diverged ? Infinity : score(standings[member]!))
    const before = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0)
    this.ranking = [...this.members].sort((a, b) => before(place(a), place(b)) || Number(!!a.diverged) - Number(!!b.diverged))
  }

  /** The model that is first in the ranking. */
  get best(): TrainedModel<M> {
    return this.model(this.ranking[0]!.member)
  }

  /**
   * The model of a member, with the parameters that `fit` would return: those of the best epoch, or without validation rows the last ones.
   *
   * @throws RangeError if there is no such member, or if it diverged or was never reached.
   */
  model(member: number): TrainedModel<M> {
    const standing = this.standings[member]
    if (!standing) throw new RangeError(`sweep: there are members 0 to ${this.standings.length - 1}; got ${member}`)
    if (!standing.kept || standing.diverged)
      throw new RangeError(
        `sweep: member ${member} has no model: it ${standing.diverged ? "diverged" : "was not reached before the sweep was stopped"}`,
      )
    return new TrainedModel(standing.model as M, copyOf(standing.kept.params), copyOf(standing.kept.state), this.inShape)
  }

  /** The ranking as a table: settings, seed, the best epoch, losses and metrics. */
  toString(): string {
    const names = [...new Set(this.members.flatMap(m => Object.keys(m.settings as object)))]
    const measures = Object.keys(this.ranking[0]?.validation ?? {})
    const head = ["member", ...names, "seed", "epoch", "loss", ...measures.map(name => `validation ${name}`)]
    const rows = this.ranking.map(r => [
      String(r.member),
      ...names.map(name => text((r.settings as Record<string, unknown>)[name])),
      String(r.seed),
      r.diverged ? "diverged" : String(r.bestEpoch),
      text(r.loss),
      ...measures.map(name => text(r.validation?.[name])),
    ])
    const widths = head.map((title, i) => Math.max(title.length, ...rows.map(row => row[i]!.length)))
    return [head, ...rows].map(row => row.map((cell, i) => cell.padStart(widths[i]!)).join("  ")).join("\n")
  }
}

const text = (x: unknown): string =>
  typeof x === "number" ? (Number.isNaN(x) ? "-" : String(Number(x.toPrecision(4)))) : x === undefined ? "-" : JSON.stringify(x)
