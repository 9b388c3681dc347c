interface Node {
  getBuiltinModule?: (name: string) => unknown
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly platform?: string
  readonly versions?: { readonly node?: string }
}
const { process } = globalThis as { process?: Node }

/** A module of Node's own, loaded when it is asked for, or undefined elsewhere and before Node 20.16. */
export const builtin = <T>(name: string): T | undefined => process?.getBuiltinModule?.(`node:${name}`) as T | undefined

/** An environment variable; undefined where there are none. */
export const environment = (name: string): string | undefined => process?.env?.[name]

/** "linux", "darwin", "win32" and so on; undefined in browsers. */
export const system: string | undefined = process?.versions?.node === undefined ? undefined : process.platform
