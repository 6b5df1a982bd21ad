import {
  addServerRegistryOptions,
  credentialSource,
  ProgressView,
  type RegistryOptions,
  withSession,
} from '@nsbox/ctr'
import { type Platform, parsePlatform } from '@nsbox/oci'
import { Command } from 'commander'

/** `push <remote> [<local>]`: one Transfer call; the server does the work */
export function pushCommand(): Command {
  const command = new Command('push')
    .description('push an image')
    .argument('<remote>', 'reference to push to')
    .argument('[local]', 'name of the image; that of the remote by default')
    .option(
      '--platform <platform>',
      'push the manifest of this platform instead of a whole index',
      parsePlatform,
    )
  return addServerRegistryOptions(command).action(
    withSession(
      async (
        { client, signal },
        options: RegistryOptions & { platform?: Platform },
        remote: string,
        local: string | undefined,
      ) => {
        using view = new ProgressView()
        await client.push(local ?? remote, {
          reference: remote,
          platform: options.platform,
          credentials: credentialSource(options),
          defaultScheme: options.plainHttp ? 'http' : undefined,
          hostsDir: options.hostsDir,
          onProgress: (progress) => view.update(progress),
          signal,
        })
      },
    ),
  )
}
