import { defaultAddress } from '@nsbox/client'
import { NsboxError } from '@nsbox/errors'
import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { openInBrowser } from '../open-in-browser.ts'
import { print } from '../print.ts'

/** `web` */
export function webCommand(): Command {
  return new Command('web')
    .description('open the server’s page in a browser: prints a link that works once, within a minute')
    .option('--print', 'only print the link')
    .action(
      withSession(async ({ client, isEmbedded, signal }, { print: only = false }: { print?: boolean }) => {
        if (isEmbedded) {
          throw new NsboxError(
            'failed_precondition',
            `no server listens at ${defaultAddress()}: start one with nsbox-server --web 127.0.0.1:0`,
          )
        }
        const { url } = await client.pageLink({ signal })
        print(url)
        if (!only) await openInBrowser(url, { signal })
      }),
    )
}
