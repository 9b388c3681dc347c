// dist/ holds the sources twice. File by file they are for bundlers, which drop what a page does not use, and for types. In dist/node
// they are bundled: Node resolves and compiles modules one by one, which took longer than running them. The command exists bundled only.
import { execFileSync } from "node:child_process"
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import { build } from "vite"

const { exports, bin, dependencies, peerDependencies } = JSON.parse(readFileSync("package.json", "utf8"))

rmSync("dist", { recursive: true, force: true })
execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json", "--noCheck"], { stdio: "inherit" })
// the compiler rewrites ./file.ts to ./file.js in code, but not in declarations
for (const name of readdirSync("dist", { recursive: true, encoding: "utf8" })) {
  if (!name.endsWith(".d.ts")) continue
  const file = join("dist", name)
  writeFileSync(file, readFileSync(file, "utf8").replace(/(from |import |import\(|module )"(\.[^"]+)\.ts"/g, '$1"$2.js"'))
}

/**
 * The pieces that every program loads: each further file takes longer to load than what it leaves out. The two presets, which are
 * modules with effects, stay apart.
 */
const groups = [
  {
    name: "core",
    test: /dist\/((ir|core|primitives|graph|transforms|control|ops|check|compile|runtime|nn|losses|optim)\/|language|preset\/only)/,
  },
  { name: "default", test: /dist\/(index|preset\/wasm|platform\/(worker-program|node\/(blas|host|relaxed)))\.js/ },
  { name: "small", test: /dist\/(js|nn|losses|optim|mlp|preset\/js)\.js/ },
  { name: "bench", test: /dist\/cli\/bench\/(flops|numbers|processes|result|timing|training)\.js/ },
]
/**
 * The parts of echarts that draw the charts of reports, which come with the command. Bundled ahead: what the bundler adds to such code
 * would else become one more file that all programs load.
 */
const PARTS = {
  charts: "LineChart, ScatterChart",
  components: "GridComponent, LegendComponent",
  core: "init, use",
  renderers: "SVGRenderer",
}
const entry = Object.entries(PARTS).map(([from, names]) => `export { ${names} } from "echarts/${from}"`)
const bundled = await build({
  configFile: false,
  logLevel: "warn",
  plugins: [
    { name: "entry", resolveId: id => (id === "entry" ? "\0entry" : null), load: id => (id === "\0entry" ? entry.join("\n") : null) },
  ],
  ssr: { noExternal: true },
  build: {
    ssr: true,
    write: false,
    target: "es2023",
    rolldownOptions: { input: "entry", output: { comments: { legal: true, jsdoc: false } } },
  },
})
const charts = bundled.output[0].code

const nameOf = file => relative("dist", file).replace(/\.js$/, "")
const { output } = await build({
  configFile: false,
  logLevel: "warn",
  plugins: [
    {
      name: "charts",
      enforce: "pre",
      resolveId: id => (id.startsWith("echarts/") ? "\0charts" : null),
      load: id => (id === "\0charts" ? charts : null),
    },
    { name: "host", enforce: "pre", resolveId: id => (id === "#host" ? resolve("dist/platform/node/host.js") : null) },
  ],
  build: {
    ssr: true,
    write: false,
    target: "es2023",
    rolldownOptions: {
      platform: "neutral",
      input: Object.fromEntries([
        ...Object.values(exports).flatMap(e => (e.node ? [[nameOf(e.node), e.default]] : [])),
        ...[bin.adjoint, "./dist/cli/bench/run.js"].map(file => [nameOf(file), file]),
      ]),
      external: new RegExp(`^(node:|#csv-parse$|(${Object.keys({ ...dependencies, ...peerDependencies }).join("|")})(/|$))`),
      output: {
        entryFileNames: "[name].js",
        // what the command loads when needed stays where its own files are, which it finds from there
        chunkFileNames: ({ facadeModuleId }) =>
          facadeModuleId?.includes("/dist/cli/") ? `${nameOf(facadeModuleId)}.js` : "node/[name].js",
        codeSplitting: { groups },
        comments: { legal: true, annotation: false, jsdoc: false },
        minifyInternalExports: false,
        polyfillRequire: false,
      },
    },
  },
})
rmSync("dist/cli", { recursive: true })
for (const { fileName, code } of output) {
  const file = join("dist", fileName)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, code)
}
for (const name of ["echarts/LICENSE", "echarts/NOTICE", "zrender/LICENSE", "tslib/LICENSE.txt"])
  copyFileSync(join("node_modules", name), join("dist/cli/page", name.replace("/", "-")))
chmodSync(bin.adjoint, 0o755)
