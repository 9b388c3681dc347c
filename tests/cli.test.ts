// The command as people and programs run it: training, evaluation, prediction, help.
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { gzipSync } from "node:zlib"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { bytesOf, events, flowers, houses, last, noise, workplace } from "./cli-process.ts"

const { at, write, writeImages, run, remove } = workplace()
afterAll(remove)

beforeAll(async () => {
  write("flowers.csv", flowers())
  write("houses.csv.gz", gzipSync(houses()))
  write("noise.csv", noise())
  writeImages("shapes", { train: 200, t10k: 40 })
  const { code, err } = await run(["train", "flowers.csv", "--target", "kind", "--json", "--out", "runs/model"])
  expect([code, err]).toEqual([0, ""])
})

const usage = ["train", "flowers.csv", "--target", "kind", "--epochs", "2"]

describe("train, evaluate and predict", () => {
  test("classes: events, a saved model, and the same score again", async () => {
    const { code, out, err } = await run(["train", "flowers.csv", "--target", "kind", "--json", "--seed", "4", "--out", "runs/four"])
    expect([code, err]).toEqual([0, ""])
    const all = events(out)
    expect(all.find(e => e.event === "start")).toMatchObject({ rows: 105, validationRows: 15 })
    expect(all.filter(e => e.event === "epoch").length).toBeGreaterThan(5)
    const done = all.at(-1)
    expect(done).toMatchObject({
      event: "done",
      model: "runs/four",
      test: { rows: 30, classes: ["aster", "daisy", "tulip"] },
      baseline: { majority: { rows: 30 }, linear: { rows: 30 } },
    })
    expect(done.test.accuracy).toBeGreaterThan(0.9)
    expect(done.baseline.majority.accuracy).toBeCloseTo(1 / 3)
    expect(all.find(e => e.event === "warning").message).toContain('Column "id" is left out')

    const again = await run(["evaluate", "runs/four", "flowers.csv", "--json"])
    expect(last(again.out).test).toEqual(done.test)

    const whole = last((await run(["evaluate", "runs/four", "flowers.csv", "--all", "--json"])).out)
    const predicted = (await run(["predict", "runs/four", "flowers.csv"])).out.trim().split("\n")
    const right = predicted.slice(1).filter(line => line.split(",")[4] === line.split(",")[5])
    expect(right.length / 150).toBe(whole.test.accuracy)
  })

  test("NDJSON means what the same table in CSV does", async () => {
    const [header, ...rows] = readFileSync(at("flowers.csv"), "utf8").trim().split("\n")
    const names = header!.split(",")
    const objects = rows.map(row => JSON.stringify(Object.fromEntries(row.split(",").map((cell, i) => [names[i], cell]))))
    write("same.ndjson", objects.join("\n"))
    const [csv, json] = await Promise.all(["flowers.csv", "same.ndjson"].map(data => run(["predict", "runs/model", data])))
    expect([csv!.code, json!.out]).toEqual([0, csv!.out])
    const { code, err } = await run(["train", "same.ndjson", "--target", "kind", "--epochs", "1", "--json", "--out", "runs/same"])
    expect([code, err]).toEqual([0, ""])
  })

  test("a number, from a compressed file with semicolons and decimal commas", async () => {
    const { code, out } = await run([
      "train",
      "houses.csv.gz",
      "--target",
      "price",
      "--json",
      "--weight-decay",
      "0",
      "--out",
      "runs/houses",
    ])
    expect(code).toBe(0)
    const done = last(out)
    expect(done.test.r2).toBeGreaterThan(0.9)
    expect(done.baseline.linear.r2).toBeLessThan(0.3)
    expect(done.beatsBaseline).toBe(true)
    expect(last((await run(["evaluate", "runs/houses", "houses.csv.gz", "--json"])).out).test).toEqual(done.test)
    write("house.csv", "age,area\n1,1\n-1,1\n")
    const answers = (await run(["predict", "runs/houses", "house.csv", "--only"])).out.trim().split("\n")
    expect(answers[0]).toBe("prediction")
    expect(answers.slice(1).map(Number)[0]).toBeCloseTo(120, -1)
    expect(answers.slice(1).map(Number)[1]).toBeCloseTo(80, -1)
  })

  test("images, and what is said to people", async () => {
    const { code, out, err } = await run(["train", "shapes", "--out", "runs/shapes"], { env: { COLUMNS: "60" } })
    expect(code).toBe(0)
    expect(out).toContain("Saved in runs/shapes")
    expect(out).toContain("the linear model")
    expect(out).toContain("true \\ predicted")
    expect(out).toMatch(/\ntest accuracy 100\.00 %\n$/)
    expect(out + err).not.toContain("\x1b")
    for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(60)
    expect((await run(["evaluate", "runs/shapes", "shapes"])).out).toMatch(/\ntest accuracy 100\.00 %\n$/)
    const answers = await run(["predict", "runs/shapes", "shapes/t10k-images-idx3-ubyte"])
    expect(answers.out).toMatch(/^image,prediction,p\(0\),p\(1\)\n0,0,/)
  })

  test("test images are not read before training has ended", async () => {
    writeImages("cut", { train: 60, t10k: 20 })
    writeFileSync(at("cut/t10k-images-idx3-ubyte"), "not an image")
    const { code, out } = await run(["train", "cut", "--json", "--out", "runs/cut"])
    expect(code).toBe(2)
    expect(events(out).map(e => e.event)).toContain("end")
    expect(last(out)).toMatchObject({ event: "error", message: expect.stringContaining("t10k-images-idx3-ubyte is not an IDX file") })
  })

  test("a network that learns nothing is told so", async () => {
    const { code, out } = await run(["train", "noise.csv", "--target", "answer", "--epochs", "3", "--seed", "1"])
    expect(code).toBe(0)
    expect(out).toContain("The network does not beat")
    const shuffled = await run([...usage, "--shuffle-labels", "--json", "--epochs", "30", "--out", "runs/shuffled"])
    expect(last(shuffled.out).test.accuracy).toBeLessThan(0.7)
  })

  test("what is wrong with a training is said: as events, or as a few warnings", async () => {
    const hasty = [...usage, "--learning-rate", "3"]
    const found = events((await run([...hasty, "--json"])).out).filter(e => e.event === "finding")
    expect(found.some(f => ["rate too high", "divergence"].includes(f.kind) && f.cause === "learning rate")).toBe(true)
    const warnings = (await run(hasty)).err.split("\n").filter(line => /^warning: .* learning rate a tenth as large/.test(line))
    expect(warnings.length).toBeGreaterThan(0)
    expect(warnings.length).toBeLessThanOrEqual(5)
  })

  test("one seed, one model, bit for bit; another seed, another", async () => {
    await Promise.all(
      ["5", "5", "6"].map((seed, i) => run([...usage, "--dropout", "0.2", "--seed", seed, "--quiet", "--out", `runs/bits${i}`])),
    )
    const [a, b, c] = [0, 1, 2].map(i => bytesOf(at(`runs/bits${i}`)))
    expect(a).toBe(b)
    expect(a).not.toBe(c)
  })

  test("without a target the columns are listed", async () => {
    const { code, out } = await run(["train", "flowers.csv"])
    expect(code).toBe(0)
    expect(out).toMatch(/width +numeric +9 /)
    expect(out).toContain("adjoint train flowers.csv --target kind")
    expect(last((await run(["train", "flowers.csv", "--json"])).out)).toMatchObject({ event: "columns", rows: 150, likelyTarget: "kind" })
  })

  test("--quiet prints the result only", async () => {
    const { out, err } = await run([...usage, "--quiet"])
    expect(out).toMatch(/^test accuracy \d+\.\d\d %\n$/)
    expect(err).toBe("")
    expect(existsSync(at("runs/flowers/model.json"))).toBe(true)
  })
})

describe("rules of learning", () => {
  test.each(["feedback-alignment", "target-propagation", "genetic"])("--rule %s trains, and the saved model says so", async rule => {
    const { code, out, err } = await run([...usage, "--epochs", "150", "--rule", rule, "--out", `runs/${rule}`])
    expect([code, err.includes("error")]).toEqual([0, false])
    expect(out).toContain(rule === "genetic" ? "(relu), genetic, batches of 105," : `(relu), ${rule}, adam 0.001,`)
    expect(Number(/test accuracy ([\d.]+) %/.exec(out)![1])).toBeGreaterThan(80)
    const { settings } = JSON.parse(readFileSync(at(`runs/${rule}/model.json`), "utf8")).training
    expect(settings.rule).toBe(rule)
    expect((await run(["evaluate", `runs/${rule}`, "flowers.csv"])).code).toBe(0)
  })
  test("an unknown one is answered with the names", async () => {
    const { code, err } = await run([...usage, "--rule", "magic"])
    expect(code).toBe(2)
    expect(err).toMatch(/'magic' is invalid. Allowed choices are backprop, feedback-alignment, .*synthetic-gradients, genetic\./)
    expect((await run(["train", "--help"])).out.replace(/\s+/g, " ")).toContain(
      '"alternating-minimization", "synthetic-gradients", "genetic"',
    )
  })
})

describe("predict takes tables of other forms", () => {
  const head = ["predict", "runs/model"]
  test("other orders, more columns, no target", async () => {
    write("plain.csv", "length,width,color\n0.5,0.5,red\n4,4,blue\n")
    write("mixed.csv", 'color,more,width,length\nred,"a, b",0.5,0.5\nblue,"",4,4\n')
    const [plain, mixed] = await Promise.all([run([...head, "plain.csv", "--only"]), run([...head, "mixed.csv", "--only"])])
    expect(plain.out).toMatch(/^prediction,p\(aster\),p\(daisy\),p\(tulip\)\naster,.*\ndaisy,/)
    expect(mixed.out).toBe(plain.out)
    expect((await run([...head, "mixed.csv"])).out).toMatch(/\nred,"a, b",0.5,0.5,aster,/)
    const [first, second] = events((await run([...head, "plain.csv", "--json"])).out)
    expect(first).toMatchObject({ event: "prediction", row: 1, prediction: "aster" })
    expect(Object.values<number>(second.probabilities).reduce((a, b) => a + b)).toBeCloseTo(1, 4)
  })
  test("what it has never seen, and what is missing, is named", async () => {
    write("odd.csv", "length,width,color\n0.5,,green\n")
    const { code, out, err } = await run([...head, "odd.csv"])
    expect(code).toBe(0)
    expect(out.split("\n").length).toBe(3)
    expect(err).toContain('warning: Column "color": not seen in training: "green" (1 row)')
    expect(err).toContain('Column "width": 1 of 1 cell missing')
  })
  test("a file, whole or not at all", async () => {
    const { out } = await run([...head, "flowers.csv", "--out", "answers.csv"])
    expect(out).toContain("150 predictions written to answers.csv")
    const { out: again } = await run([...head, "answers.csv"])
    expect(again.split("\n")[0]).toContain("prediction 2,p(aster) 2")
  })
})

describe("help", () => {
  test("says what there is, and loads no engine", async () => {
    const started = performance.now()
    const { code, out } = await run(["--help"])
    expect(performance.now() - started).toBeLessThan(5_000)
    expect(code).toBe(0)
    for (const command of ["train", "predict", "evaluate"]) expect(out).toContain(command)
  })
  test.each(["train", "predict", "evaluate"])("%s has options and examples", async command => {
    for (const args of [
      [command, "--help"],
      ["help", command],
    ]) {
      const { code, out } = await run(args)
      expect(code).toBe(0)
      expect(out).toContain("--json")
      expect(out).toContain(`  adjoint ${command} `)
    }
  })
  test("no command at all is wrong usage", async () => expect((await run([])).code).toBe(2))
})
