// What a worker thread runs. It is a text, so that there is no file that a bundler would have to find.

/**
 * Loads modules from their records in memory, in the order in which they were made, and goes on to `work`. Modules of one space import
 * each other's functions; "p12" has its place 12 in the table. A BLAS is loaded by `bindBlas`, which is
 * to stand before this text, when a module imports its product.
 */
export const workerProgram = `
function begin({ memory, threads, worker, control, koffi, blas }, require) {
  const table = new WebAssembly.Table({ element: "anyfunc", initial: 64 })
  const spaces = []
  let last = control.first
  const load = () => {
    const words = new Int32Array(memory.buffer)
    const count = Atomics.load(words, control.modules / 4)
    for (let i = Atomics.load(words, control.loaded / 4 + worker); i < count; i++) {
      const at = words[last / 4]
      const module = new WebAssembly.Module(new Uint8Array(memory.buffer).slice(at + 12, at + 12 + words[at / 4 + 1]))
      const functions = (spaces[words[at / 4 + 2]] ??= { fork() {} })
      if (WebAssembly.Module.imports(module).some(x => x.name.startsWith("blas_"))) Object.assign(functions, bindBlas(require(koffi), blas, memory))
      const { exports } = new WebAssembly.Instance(module, { env: { memory }, lib: functions })
      for (const [name, f] of Object.entries(exports)) {
        functions[name] = f
        if (name[0] !== "p" || !/^p\\d+$/.test(name)) continue
        const slot = Number(name.slice(1))
        if (slot >= table.length) table.grow(2 * slot)
        table.set(slot, f)
      }
      last = at
    }
    Atomics.store(words, control.loaded / 4 + worker, count)
  }
  const lib = { stall() {}, load }
  const { work } = new WebAssembly.Instance(new WebAssembly.Module(threads), { env: { memory, table }, lib }).exports
  load()
  Atomics.add(new Int32Array(memory.buffer), control.workers / 4, 1)
  work(worker)
}
`
