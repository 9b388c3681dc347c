#!/usr/bin/env node
// The command `adjoint`. A command's own file, and with it the engine, is loaded only when that command is named.
import { readFileSync } from "node:fs"
import { Command, CommanderError } from "commander"
import { exitCodeOf, report } from "./errors.ts"

/** A command's file: its arguments, options and action. */
interface CommandFile {
  define(command: Command): void
}

const COMMANDS: Readonly<Record<string, readonly [description: string, load: () => Promise<CommandFile>]>> = {
  train: ["train a network on a table or on images", () => import("./train.ts")],
  sweep: ["train many networks at once, and keep the best", () => import("./sweep.ts")],
  predict: ["let a trained model answer for new rows", () => import("./predict.ts")],
  evaluate: ["measure a trained model on rows with known answers", () => import("./evaluate.ts")],
  export: ["write a trained model as a module that needs nothing else", () => import("./export.ts")],
  serve: ["let a trained model answer over HTTP", () => import("./serve.ts")],
  report: ["write the report of a run as a web page", () => import("./write-report.ts")],
  explain: ["show the chain of derivatives from an error to a weight", () => import("./explain.ts")],
  check: ["say whether a gradient is right, and what is wrong with it", () => import("./check.ts")],
  doctor: ["say what this machine computes with, how fast, and what would make it faster", () => import("./doctor.ts")],
  bench: ["measure how fast this machine trains", () => import("./bench.ts")],
}

async function main(args: readonly string[]): Promise<void> {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"))
  const program = new Command("adjoint")
    .description("Error backpropagation: train neural networks, use them, and see why the gradients are what they are.")
    .version(version)
    .exitOverride()
    .showHelpAfterError("Show how it is used with --help.")
    .addHelpText("after", "\nExit codes: 0 done, 1 failed, 2 wrong usage or data, 130 stopped with Ctrl-C, 143 with SIGTERM.")
    .addHelpText("after", "Start: adjoint train iris.csv")
  const named = args.find(argument => Object.hasOwn(COMMANDS, argument))
  for (const [name, [description, load]] of Object.entries(COMMANDS)) {
    const command = program.command(name).description(description)
    if (name === named) (await load()).define(command)
  }
  await program.parseAsync(args, { from: "user" })
}

// A reader that has seen enough, such as `head`, is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1))

const args = process.argv.slice(2)
try {
  await main(args)
} catch (error) {
  process.exitCode = exitCodeOf(error)
  if (process.exitCode !== 0) {
    report(error, {
      json: args.includes("--json"),
      debug: args.includes("--debug") || process.env.ADJOINT_DEBUG === "1",
      told: error instanceof CommanderError, // commander has printed its message already
    })
  }
}
