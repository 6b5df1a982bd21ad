import { namespaceFromEnvironment } from '@nsbox/namespaces'
import type { Platform } from '@nsbox/oci'
import { Command } from 'commander'
import type { GlobalOptions } from '../global-options.ts'
import { platformOfMachine } from '../platform-options.ts'

/** `oci spec` */
export function ociCommand(): Command {
  const spec = new Command('spec')
    .description('print the spec of a container of which nothing is known')
    .addOption(platformOfMachine('platform, such as windows/amd64'))
    .action(async (options: { platform: Platform }, command: Command) => {
      const { namespace = namespaceFromEnvironment() } = command.optsWithGlobals() as GlobalOptions
      const { showSpec } = await import('../show-spec.ts')
      showSpec(namespace, options.platform)
    })
  return new Command('oci').description('OCI specs').addCommand(spec)
}
