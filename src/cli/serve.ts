// `adjoint serve`: a saved model's answers over HTTP.

import type { Server } from "node:http"
import type { AddressInfo } from "node:net"
import type { Command } from "commander"
import { STOPPED, UsageError } from "./errors.ts"
import { type CommonOptions, count, port, positive, withCommon } from "./options.ts"
import { makeServer } from "./serve/server.ts"
import { openService } from "./serve/service.ts"
import { Output } from "./terminal.ts"

interface ServeOptions extends CommonOptions {
  readonly port: number
  readonly host: string
  readonly maxRows: number
  readonly maxBytes: number
  readonly timeout: number
  readonly debug?: boolean
}

export function define(command: Command): void {
  command
    .argument("<model>", "the folder that adjoint train, or save, wrote")
    .option("-p, --port <n>", "where to listen; 0 is any that is free", port, 8080)
    .option("--host <address>", "0.0.0.0 lets other machines ask", "127.0.0.1")
    .option("--max-rows <n>", "rows in one request", count, 1000)
    .option("--max-bytes <n>", "bytes of one request", count, 5_000_000)
    .option("--timeout <seconds>", "time for a client to send its request", positive, 10)
  withCommon(command, [
    ["adjoint serve runs/iris", "POST /predict, GET /, GET /health on port 8080"],
    ["adjoint serve runs/iris --port 0 --json", "a free port, told as an event; requests as events"],
    ["adjoint serve runs/mnist --host 0.0.0.0 --max-rows 100", "for other machines"],
  ]).action(serve)
}

async function serve(dir: string, options: ServeOptions): Promise<void> {
  const out = new Output(options)
  const service = await openService(dir)
  const { server, stop } = makeServer(service, {
    ...options,
    seen: request => out.event({ event: "request", ...request }),
    failed: error => process.stderr.write(`error: ${options.debug ? (error as Error).stack : (error as Error).message}\n`),
  })
  await listen(server, options)
  const { address, family, port } = server.address() as AddressInfo
  const url = `http://${family === "IPv6" ? `[${address}]` : address}:${port}`
  const stopped = untilStopped(stop)
  out.event({ event: "listening", url, model: dir })
  out.result(url)
  out.say(`Answers POST ${url}/predict; GET ${url}/ says what it takes. Ctrl-C ends it.`)
  await stopped
  out.event({ event: "done" })
}

/** @throws UsageError where the address cannot be had. */
function listen(server: Server, { port, host }: ServeOptions): Promise<void> {
  return new Promise((done, failed) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const why: Record<string, string> = {
        EADDRINUSE: "is taken; choose another port with --port",
        EACCES: "is for administrators; choose a port from 1024 with --port",
        EADDRNOTAVAIL: "is no address of this machine; choose one with --host",
        ENOTFOUND: "is not known; choose an address with --host",
      }
      failed(error.code && why[error.code] ? new UsageError(`${host}:${port} ${why[error.code]}.`) : error)
    })
    server.listen(port, host, done)
  })
}

/** Waits for Ctrl-C, or a supervisor's signal, and then for requests that are being answered. A second one ends the process at once. */
async function untilStopped(stop: () => Promise<void>): Promise<void> {
  const signals = ["SIGINT", "SIGTERM"] as const
  await new Promise<void>(done => {
    for (const signal of signals) process.once(signal, done)
  })
  for (const signal of signals) process.on(signal, () => process.exit(STOPPED))
  await stop()
  for (const signal of signals) process.removeAllListeners(signal)
}
