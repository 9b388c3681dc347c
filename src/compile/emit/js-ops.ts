// One operation as JavaScript text. Numbers of all types are JavaScript numbers, bools are JavaScript booleans.
import type { Dtype, MachineOp } from "../../ir/expr.ts"

/** A number as it stands in the source, rounded to its type. */
export function literal(t: Dtype, value: number): string {
  if (t === "bool") return value ? "true" : "false"
  const v = t === "f32" ? Math.fround(value) : t === "i32" ? value | 0 : value
  return v < 0 || Object.is(v, -0) ? `(-${-v})` : String(v)
}

/** Functions that a source may call, each written out only where it is used. */
export const helpers: Readonly<Record<string, string>> = {
  f: "Math.fround",
  nearest: "x=>{const a=Math.abs(x);if(!(a<2**52))return x;const r=a+2**52-2**52;return x<0?-r:r===0?x*0:r}",
  saturate: "x=>x>=2147483647?2147483647:x<=-2147483648?-2147483648:x|0",
  F: "new Float32Array(1)",
  FI: "new Int32Array(F.buffer)",
  D: "new Float64Array(1)",
  DI: "new Int32Array(D.buffer)",
  pow2_f32: "k=>{FI[0]=k+127<<23;return F[0]}",
  exponent_f32: "x=>{F[0]=x;return (FI[0]>>>23&255)-127}",
  mantissa_f32: "x=>{F[0]=x;FI[0]=FI[0]&8388607|1065353216;return F[0]}",
  pow2_f64: "k=>{DI[0]=0;DI[1]=k+1023<<20;return D[0]}",
  exponent_f64: "x=>{D[0]=x;return (DI[1]>>>20&2047)-1023}",
  mantissa_f64: "x=>{D[0]=x;DI[1]=DI[1]&1048575|1072693248;return D[0]}",
}

/** The same number as float and as bits, for helpers that look at these. */
const scratch: { readonly [T in Dtype]?: readonly string[] } = { f32: ["F", "FI"], f64: ["D", "DI"] }

type Signs = { readonly [K in MachineOp]?: string }
const signs: Signs = {
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  lt: "<",
  le: "<=",
  eq: "===",
  ne: "!==",
  and: "&",
  or: "|",
  xor: "^",
  shl: "<<",
}
/** What these mean on bool. */
const onBool: Signs = { add: "||", max: "||", or: "||", mul: "&&", min: "&&", and: "&&", xor: "!==" }

/**
 * The operation applied to operand texts that need no parentheses. `t` is the type of the result, `from` that of the last
 * operand; `call` names a helper and sees to it that it is there.
 */
export function operation(name: MachineOp, t: Dtype, from: Dtype, x: readonly string[], call: (helper: string) => string): string {
  const [a, b, c] = x as [string, string, string]
  const round = (text: string): string => (t === "f32" ? `${call("f")}(${text})` : t === "i32" ? `(${text}|0)` : `(${text})`)
  const sign = (t === "bool" && onBool[name]) || signs[name]
  if (sign) return name === "mul" && t === "i32" ? `Math.imul(${a},${b})` : round(`${a}${sign}${b}`)
  switch (name) {
    case "shr":
      return `(${a}>>>${b}|0)`
    case "neg":
      return t === "i32" ? `(-${a}|0)` : `(-${a})`
    case "not":
      return t === "bool" ? `(!${a})` : `(~${a})`
    case "abs":
      return t === "i32" ? `(Math.abs(${a})|0)` : `Math.abs(${a})`
    case "sqrt":
      return round(`Math.sqrt(${a})`)
    case "floor":
      return t === "i32" ? a : `Math.floor(${a})`
    case "nearest":
      return t === "i32" ? a : `${call(name)}(${a})`
    case "min":
    case "max":
      return `Math.${name}(${a},${b})`
    case "select":
      return `(${a}?${b}:${c})`
    case "cast":
      return conversion(t, from, a, call)
    default: // pow2, exponent, mantissa
      scratch[t]?.forEach(call)
      return `${call(`${name}_${t}`)}(${a})`
  }
}

function conversion(t: Dtype, from: Dtype, a: string, call: (helper: string) => string): string {
  if (t === from) return a
  if (t === "bool") return `(${a}!==0)`
  if (from === "bool") return `(${a}?1:0)`
  if (t === "i32") return `${call("saturate")}(${a})`
  return t === "f32" ? `${call("f")}(${a})` : a
}
