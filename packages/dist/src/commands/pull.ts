import {
  addPlatformOptions,
  addServerRegistryOptions,
  chosenPlatforms,
  credentialSource,
  type PlatformOptions,
  ProgressView,
  type RegistryOptions,
  withSession,
} from '@nsbox/ctr'
import { Command } from 'commander'

/** `pull <ref>`: one Transfer call; the server does the work */
export function pullCommand(): Command {
  const command = new Command('pull')
    .description('pull an image')
    .argument('<ref>', 'such as docker.io/library/redis:latest')
    .option('--all-metadata', 'fetch manifests and configs of all platforms')
    .option('-q, --quiet', 'print only the digest')
  return addServerRegistryOptions(addPlatformOptions(command)).action(
    withSession(
      async (
        { client, signal },
        options: RegistryOptions & PlatformOptions & { allMetadata?: boolean; quiet?: boolean },
        reference: string,
      ) => {
        using view = options.quiet ? undefined : new ProgressView()
        const { target } = await client.pull(reference, {
          platforms: chosenPlatforms(options),
          allMetadata: options.allMetadata,
          credentials: credentialSource(options),
          defaultScheme: options.plainHttp ? 'http' : undefined,
          hostsDir: options.hostsDir,
          onProgress: (progress) => view?.update(progress),
          signal,
        })
        view?.[Symbol.dispose]()
        console.log(options.quiet ? target.digest : `${reference} ${target.digest}`)
      },
    ),
  )
}
