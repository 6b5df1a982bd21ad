import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { printText } from '../print.ts'
import { version } from '../version.ts'

/** `version` */
export function versionCommand(): Command {
  return new Command('version').description('print the versions of client and server').action(
    withSession(async ({ client, signal }) => {
      printText(`Client:\n  Version:  ${version}\n  Node:     ${process.version}\n\n`)
      const server = await client.version({ signal })
      const { uuid } = await client.introspection.server({ signal })
      printText(`Server:\n  Version:  ${server.version}\n  Revision: ${server.revision}\n  UUID: ${uuid}\n`)
    }),
  )
}
