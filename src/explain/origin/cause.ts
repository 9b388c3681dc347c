// Why an operation makes of these operands a number that is not finite.
import type { OriginCause } from "../messages/origin.ts"
import type { Step } from "../tape.ts"
import type { OriginOperand } from "./origin.ts"

export function causeOf(phase: "forward" | "backward", step: Step, operands: readonly OriginOperand[], result: number): OriginCause {
  const [x, y] = operands.map(o => o.value) as [number, number]
  const { name } = step.prim
  if (phase === "backward" && name !== "sqrt" && name !== "pow" && name !== "hypot") {
    if (name === "log" || name === "log2" || name === "log10" || name === "log1p") return "logSlope"
    if (name === "div") return y === 0 || 1 / y === Infinity || 1 / y === -Infinity ? "zeroDivision" : "divSlope"
    if (name === "customVjp" || name === "customJvp") return "rule"
    return ["asin", "acos", "atanh", "erfinv", "cbrt", "acosh"].includes(name) ? "edgeSlope" : "backwardOverflow"
  }
  switch (name) {
    case "log":
    case "log2":
    case "log10":
    case "log1p":
      return x === (name === "log1p" ? -1 : 0) ? "logOfZero" : "logOfNegative"
    case "sqrt":
      return phase === "backward" ? "sqrtSlope" : "sqrtOfNegative"
    case "hypot":
      return phase === "backward" ? "sqrtSlope" : "overflow"
    case "div":
      return y === 0 ? (x === 0 ? "zeroByZero" : "zeroDivision") : !Number.isFinite(y) ? "infByInf" : "overflow"
    case "exp":
    case "exp2":
    case "expm1":
    case "sinh":
    case "cosh":
      return "expOverflow"
    case "pow":
      if (phase === "backward") return "powSlope"
      return x === 0 ? "powOfZero" : x < 0 && Number.isNaN(result) ? "powOfNegative" : "overflow"
    case "asin":
    case "acos":
    case "atanh":
    case "acosh":
    case "erfinv":
      return "domain"
    case "add":
    case "sub":
      return !Number.isFinite(x) && !Number.isFinite(y) ? "infMinusInf" : "overflow"
    case "mul":
    case "mulNoNan":
      return Number.isNaN(result) ? "zeroTimesInf" : "overflow"
    case "sum":
      return Number.isNaN(result) ? "infMinusInf" : "overflow"
    case "matmul":
    case "conv":
      return Number.isNaN(result) ? "zeroTimesInf" : "overflow"
    case "cast":
      return "castOverflow"
    default:
      return step.prim.name === "select" ? "chosen" : "other"
  }
}
