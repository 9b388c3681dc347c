// The small preset: JavaScript code only.
import { installBottom } from "../core/tensor.ts"
import { installMethods } from "../ops/methods.ts"
import { Eager } from "../runtime/eager.ts"
import { JsEngine } from "../runtime/js-engine.ts"
import { Compiler, installCompiler } from "../runtime/program.ts"
import { onlyCopy } from "./only.ts"

onlyCopy("js")
const engine = new JsEngine()
installCompiler(new Compiler(engine, engine))
installBottom(new Eager())
installMethods()
