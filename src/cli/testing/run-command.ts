import { Command } from "commander"
import { vi } from "vitest"

/** What a command writes to the standard output, run in this process. Rejects with what it throws. */
export async function runCommand(define: (command: Command) => void, ...args: readonly string[]): Promise<string> {
  let text = ""
  const write = vi.spyOn(process.stdout, "write").mockImplementation(chunk => {
    text += chunk
    return true
  })
  try {
    const command = new Command().exitOverride().configureOutput({ writeErr: () => {} })
    define(command)
    await command.parseAsync(args, { from: "user" })
  } finally {
    write.mockRestore()
  }
  return text
}
