// What a page downloads: small programs, bundled and minified as users bundle them, have ceilings.
import { gzipSync } from "node:zlib"
import { build } from "vite"
import { expect, test } from "vitest"

/** Bytes of a program after bundling, minifying and gzip. */
async function gzipped(source: string): Promise<number> {
  const entry = "\0program"
  const output = await build({
    configFile: false,
    logLevel: "silent",
    plugins: [{ name: "program", resolveId: id => (id === "program" ? entry : null), load: id => (id === entry ? source : null) }],
    build: { write: false, minify: true, target: "es2023", modulePreload: false, rolldownOptions: { input: "program" } },
  })
  if (!("output" in output)) throw new Error("one bundle was asked for")
  // what is loaded when needed (the file system in Node) is not part of a page
  const main = output.output.find(c => c.type === "chunk" && c.isEntry)
  return gzipSync((main as { code: string }).code).length
}

const programs = [
  {
    name: "grad of a scalar function, from adjoint/js",
    ceiling: 25_000,
    source: 'import { grad, tensor } from "adjoint/js"\nconsole.log(grad(x => x.mul(x).sin().sum())(tensor([1, 2, 3])).toArray())',
  },
  {
    name: "train an MLP, from adjoint",
    ceiling: 90_000,
    source: `import { tensor } from "adjoint"
import { dense, relu, sequential } from "adjoint/nn"
import { crossEntropy } from "adjoint/losses"
import { adam } from "adjoint/optim"
import { fit } from "adjoint/train"
const model = sequential(dense(784, 128), relu(), dense(128, 10))
const train = (x, y) => fit(model, { x: tensor(x), y: tensor(y, { dtype: "i32" }) }, { loss: crossEntropy, optimizer: adam(1e-3) }).result
console.log(train)`,
  },
]

test.each(programs)("$name: under $ceiling bytes", async ({ name, source, ceiling }) => {
  const bytes = await gzipped(source)
  console.log(`${name}: ${bytes} bytes gzip`)
  expect(bytes).toBeLessThan(ceiling)
})
