// The last line of a test run, in a form that any CI can read.
export default class ClosingLine {
  onTestRunEnd(modules, errors) {
    const count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 }
    for (const module of modules) {
      // a file that does not load has no tests, but has failed
      if (module.errors().length) count.failed++
      for (const test of module.children.allTests()) count[test.result().state]++
    }
    this.line = `${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`
    process.once("exit", () => console.log(this.line))
  }
}
