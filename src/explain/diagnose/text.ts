// A diagnosis as text of at most 80 columns.
import { digits } from "../digits.ts"
import { aligned, prose, table } from "../layout.ts"
import { say } from "../messages/index.ts"
import type { Diagnosis, Finding } from "./diagnosis.ts"

/**
 * What `diagnose` found, for people: the verdict, each mistake with its layer, some numbers, and what to do.
 *
 * @example
 * const loss = (w: Tensor, x: Tensor) => mean(square(matmul(x, w)))
 * const byHand = (w: Tensor, x: Tensor) => [matmul(x.transpose(), matmul(x, w)).mul(-1), null]
 * const report = diagnose(loss, byHand, [tensor([[0.5], [0.2]]), tensor([[0.1, 0.3], [1, 2]])])
 * const text = renderDiagnosis(report)
 */
export function renderDiagnosis({ verdict, reason, leaves, findings, points }: Diagnosis): string {
  const wrong = leaves.filter(l => !l.agrees)
  const head = say.diagnosis.verdict(verdict, leaves.length, wrong.length, points)
  return [[...prose(head), ...(reason ? prose(reason) : [])], ...findings.map(f => finding(f))].map(lines => lines.join("\n")).join("\n\n")
}

function finding({ sentence, remedy, evidence, line, alternatives }: Finding): string[] {
  const places = evidence.map(e => (e.index.length ? `${e.leaf}[${e.index.join(",")}]` : e.leaf))
  const columns = [places, aligned(evidence.map(e => e.yours)), aligned(evidence.map(e => e.true))]
  const ratios = evidence.map(e => (Number.isFinite(e.ratio) ? digits(e.ratio) : "-"))
  const { yours, truth, ratio } = say.diagnosis.columns
  return [
    ...prose(sentence, 0, 2),
    ...(line ? [`  ${say.diagnosis.line(line)}`] : []),
    ...(evidence.length ? table([...columns, ratios], ["", yours, truth, ratio]) : []),
    ...(alternatives.length ? prose(say.diagnosis.alternatives(alternatives), 2) : []),
    ...prose(remedy, 2),
  ]
}
