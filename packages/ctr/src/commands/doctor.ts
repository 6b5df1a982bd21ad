import { Command } from 'commander'
import type { GlobalOptions } from '../global-options.ts'
import { print } from '../print.ts'

/** `doctor`: works in this process, without a server */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description(
      'tell what this user can do on this host, what not, why, and the way out; fails if what is needed is missing',
    )
    .option('--json', 'print the findings as JSON')
    .action(async ({ json }: { json?: boolean }, command: Command) => {
      const { root } = command.optsWithGlobals() as GlobalOptions
      // Loaded only here: few other commands need the server's code.
      const { checkHost } = await import('@nsbox/server')
      const findings = await checkHost(root === undefined ? {} : { root })
      if (findings.some(({ state }) => state === 'missing')) process.exitCode = 1
      if (json) return print(JSON.stringify(findings))
      for (const { subject, state, found, neededFor, wayOut } of findings) {
        print(`${state.padEnd(8)} ${subject}: ${found}`)
        print(`         needed for ${neededFor}`)
        if (wayOut !== undefined) print(`         way out: ${wayOut}`)
      }
    })
}
