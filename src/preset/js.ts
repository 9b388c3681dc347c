// The small preset: JavaScript code only.
import { installBottom } from "../core/tensor.ts"
import { installMethods } from "../ops/methods.ts"
import { Eager } from "../runtime/eager.ts"
import { JsEngine } from "../runtime/js-engine.ts"
import { Compiler, hasCompiler, installCompiler } from "../runtime/program.ts"
import { onlyCopy } from "./only.ts"

// beside the default preset, which runs small work in the same way, there is nothing to do
if (!hasCompiler()) {
  onlyCopy()
  const engine = new JsEngine()
  installCompiler(new Compiler(engine, engine))
  installBottom(new Eager())
  installMethods()
}
