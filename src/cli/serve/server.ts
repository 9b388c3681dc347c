// Predictions over HTTP, with Node's own server: three paths need no framework.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { Socket } from "node:net"
import type { Service } from "./service.ts"

export interface Limits {
  /** Of one request. */
  readonly maxRows: number
  readonly maxBytes: number
  /** Seconds that a client may take to send its request. */
  readonly timeout: number
}
/** A request that has been answered. */
export interface Seen {
  readonly method: string
  readonly path: string
  readonly status: number
  readonly rows?: number
  readonly ms: number
}
export interface ServeOptions extends Limits {
  readonly seen?: (request: Seen) => void
  /** An error that is no client's fault. */
  readonly failed?: (error: unknown) => void
}

/** What is wrong with a request, told to its sender. */
class RequestError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message)
  }
}

interface Reply {
  readonly status: number
  readonly body: unknown
  readonly rows?: number
}
type Handle = (request: IncomingMessage) => Promise<Reply> | Reply

/** A server that has not started. `stop` lets running requests end and closes everything else. */
export function makeServer(service: Service, options: ServeOptions): { server: Server; stop: () => Promise<void> } {
  const { maxRows, maxBytes, timeout } = options
  const paths: Readonly<Record<string, Readonly<Record<string, Handle>>>> = {
    "/": { GET: () => ({ status: 200, body: { ...service.info, limits: { rows: maxRows, bytes: maxBytes } } }) },
    "/health": { GET: () => ({ status: 200, body: { status: "ok" } }) },
    "/predict": { POST: async request => predict(service, await bodyOf(request, maxBytes), maxRows) },
  }
  const ms = timeout * 1000
  const server = createServer({ requestTimeout: ms, headersTimeout: ms, connectionsCheckingInterval: Math.min(ms / 2, 1000) })
  const connections = new Connections(server, ms)
  server.on("request", async (request, response) => {
    const started = performance.now()
    const { method = "", url = "" } = request
    const path = url.split("?")[0]!
    const { status, rows } = await answer(request, response, connections, () => handlerOf(paths, method, path)(request), options)
    options.seen?.({ method, path, status, ...(rows !== undefined && { rows }), ms: performance.now() - started })
  })
  server.on("clientError", refuse)
  return { server, stop: () => connections.stop() }
}

function handlerOf(paths: Readonly<Record<string, Readonly<Record<string, Handle>>>>, method: string, path: string): Handle {
  const methods = Object.hasOwn(paths, path) ? paths[path]! : undefined
  if (!methods) throw new RequestError(404, `there is nothing at ${path.slice(0, 100)}; wanted one of ${Object.keys(paths).join(", ")}`)
  const wanted = method === "HEAD" ? "GET" : method
  if (!Object.hasOwn(methods, wanted)) {
    const allow = Object.keys(methods).join(", ")
    throw new RequestError(405, `${path} takes ${allow}, not ${method}`, { allow })
  }
  return methods[wanted]!
}

/** Handles one request, and sends what comes out, or what was wrong. */
async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  connections: Connections,
  handle: () => Promise<Reply> | Reply,
  { failed }: ServeOptions,
): Promise<Reply> {
  let reply: Reply
  let headers: Readonly<Record<string, string>> = {}
  try {
    reply = await handle()
  } catch (error) {
    const { status, message, headers: own = {} } = problemOf(error)
    if (status === 500 && !request.destroyed) failed?.(error)
    reply = { status, body: { error: { status, message } } }
    headers = own
  }
  // what nobody wants of a request is thrown away, so that its sender hears the answer
  request.resume()
  const text = `${JSON.stringify(reply.body)}\n`
  response.writeHead(reply.status, {
    ...{ "content-type": "application/json; charset=utf-8", "content-length": Buffer.byteLength(text) },
    ...{ "cache-control": "no-store", "x-content-type-options": "nosniff" },
    ...(connections.stopping && { connection: "close" }),
    ...headers,
  })
  response.end(request.method === "HEAD" ? undefined : text)
  return reply
}

function problemOf(error: unknown): { status: number; message: string; headers?: Readonly<Record<string, string>> } {
  if (error instanceof RequestError) return error
  const { name, message } = error as Error
  // what the checks of rows throw; everything else is not the client's business
  if (name === "DataError") return { status: 400, message }
  return { status: 500, message: "the server could not answer; its log says why" }
}

/** The bytes of a JSON request. */
async function bodyOf(request: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const type = (request.headers["content-type"] ?? "").split(";")[0]!.trim().toLowerCase()
  if (type !== "application/json") throw new RequestError(415, `wanted content-type application/json, got ${type || "none"}`)
  const encoding = request.headers["content-encoding"] ?? "identity"
  if (encoding !== "identity") throw new RequestError(415, `wanted a body that is not compressed, got content-encoding ${encoding}`)
  const tooLarge = (): RequestError => new RequestError(413, `the body is larger than ${maxBytes} bytes; send fewer rows at a time`)
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw tooLarge()
  const parts: Buffer[] = []
  let n = 0
  for await (const part of request.iterator({ destroyOnReturn: false })) {
    parts.push(part)
    n += part.length
    if (n > maxBytes) throw tooLarge()
  }
  return Buffer.concat(parts)
}

function predict(service: Service, body: Uint8Array, maxRows: number): Reply {
  const rows = rowsIn(body)
  if (rows.length > maxRows) throw new RequestError(413, `wanted at most ${maxRows} rows, got ${rows.length}; send fewer at a time`)
  return { status: 200, body: service.predict(rows), rows: rows.length }
}

/** The rows of a request: a list, or an object with the list as `rows`. */
function rowsIn(body: Uint8Array): unknown[] {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body))
  } catch (error) {
    throw new RequestError(400, `the body is not JSON in UTF-8: ${(error as Error).message.slice(0, 100)}`)
  }
  const isObject = typeof json === "object" && json !== null && !Array.isArray(json)
  const rows = isObject && Object.hasOwn(json as object, "rows") ? (json as { rows: unknown }).rows : json
  if (!Array.isArray(rows)) throw new RequestError(400, 'wanted a list of rows, or { "rows": [...] }')
  if (rows.length === 0) throw new RequestError(400, "wanted at least one row, got an empty list")
  return rows
}

/** A connection on which no request could be read, or not in time. */
function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === "ECONNRESET") return void socket.destroy()
  const late = error.code === "ERR_HTTP_REQUEST_TIMEOUT"
  const large = error.code === "HPE_HEADER_OVERFLOW"
  const [status, reason] = late ? [408, "Request Timeout"] : large ? [431, "Request Header Fields Too Large"] : [400, "Bad Request"]
  const message = late ? "the request took too long to come" : large ? "the head of the request is too large" : "this is no HTTP request"
  const body = `${JSON.stringify({ error: { status, message } })}\n`
  const head = [
    `HTTP/1.1 ${status} ${reason}`,
    "Content-Type: application/json; charset=utf-8",
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  socket.end(`${head.join("\r\n")}\r\nConnection: close\r\n\r\n${body}`)
}

/** The open connections, and which of them have a request that is being answered. */
class Connections {
  stopping = false
  private readonly open = new Set<Socket>()
  private readonly busy = new Map<Socket, number>()
  private readonly server: Server
  private readonly patience: number

  constructor(server: Server, patience: number) {
    this.server = server
    this.patience = patience
    server.on("connection", socket => {
      this.open.add(socket)
      socket.once("close", () => this.open.delete(socket))
    })
    server.on("request", ({ socket }: IncomingMessage, response: ServerResponse) => {
      this.busy.set(socket, (this.busy.get(socket) ?? 0) + 1)
      response.once("close", () => {
        const left = this.busy.get(socket)! - 1
        if (left > 0) this.busy.set(socket, left)
        else this.busy.delete(socket)
        if (this.stopping && left <= 0) socket.destroySoon()
      })
    })
  }
  /** Takes no more connections, and resolves when the last request has been answered; clients that still send have so many milliseconds. */
  stop(): Promise<void> {
    this.stopping = true
    const closed = new Promise<void>(done => this.server.close(() => done()))
    for (const socket of this.open) if (!this.busy.has(socket)) socket.destroy()
    setTimeout(() => this.server.closeAllConnections(), this.patience).unref()
    return closed
  }
}
