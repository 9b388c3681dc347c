import { type ColumnInfo, describeColumns, likelyTarget } from "../data/columns.ts"
import type { TableData } from "./table-data.ts"
import { columns, grouped, type Output, paint, show, widthOf } from "./terminal.ts"

/** Lists the columns of a table, and the one that is most likely to be predicted. */
export function listColumns({ name, rows: n, sampled, look }: TableData, data: string, out: Output): void {
  const infos = describeColumns(look())
  const likely = likelyTarget(infos)
  const width = widthOf(process.stdout)
  const [head, ...rows] = columns(
    [
      ["column", "type", "missing", "different", "values"],
      ...infos.map(info => [info.name, info.type, grouped(info.missing), grouped(info.distinct), values(info)]),
    ],
    [0, 1, 4],
  ).map(line => (line.length > width ? `${line.slice(0, width - 1)}…` : line))
  out.lines(
    `${name}: ${grouped(n)} rows${sampled ? `, of which ${grouped(sampled.length)} drawn at random were looked at` : ""}`,
    "",
    paint("dim", head!),
  )
  out.lines(...rows.map((row, i) => (infos[i]!.name === likely ? paint("bold", row) : row)))
  const command = `adjoint train ${quoted(data)} --target ${likely === undefined ? "COLUMN" : quoted(likely)}`
  out.lines("")
  out.say(likely === undefined ? "No column looks like a target." : `The likely target is ${JSON.stringify(likely)}.`)
  out.result(`Train with: ${command}`)
  out.event({ event: "columns", rows: n, ...(sampled && { sampled: sampled.length }), columns: infos, likelyTarget: likely ?? null })
}

function values({ numbers, dates, examples, stray }: ColumnInfo): string {
  if (numbers === undefined && dates === undefined) return examples.join(", ")
  const odd = stray.length > 0 ? `, but also ${stray.map(({ cell }) => JSON.stringify(cell)).join(", ")}` : ""
  if (dates) return `${dates.min} to ${dates.max}${odd}`
  return `${show(numbers!.min)} to ${show(numbers!.max)}, mean ${show(numbers!.mean)}${odd}`
}

/** A word as a shell takes it. */
export const quoted = (word: string): string => (/^[\w./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)
