import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { printText } from '../print.ts'

/** `info`: in the words of the API, as stock `ctr` prints it */
export function infoCommand(): Command {
  return new Command('info').description('print what the server tells of itself, as JSON').action(
    withSession(async ({ client, signal }) => {
      const { uuid, pid, pidNamespace, deprecations } = await client.introspection.server({ signal })
      const server = {
        uuid,
        pid,
        pidns: pidNamespace,
        ...(deprecations.length > 0 && {
          deprecations: deprecations.map(({ id, message, lastOccurrence }) => {
            return { id, message, last_occurrence: lastOccurrence }
          }),
        }),
      }
      printText(`${JSON.stringify({ server }, undefined, 4)}\n`)
    }),
  )
}
