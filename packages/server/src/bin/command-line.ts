import { Command } from 'commander'
import { settingEntries } from '../configuration/check-setting.ts'
import { defaultDirectories } from '../configuration/default-directories.ts'
import type { ConfigurationSources } from '../configuration/read-configuration.ts'
import type { SettingName } from '../configuration/setting.ts'
import { version } from '../version.ts'

/** Reads the arguments of the program. Ends the process where they ask for help or the version, or are wrong. */
export function readCommandLine(): ConfigurationSources {
  const program = new Command('nsbox-server')
    .description('container daemon that speaks the API of containerd')
    .version(version, '-v, --version')
    .option('-c, --config <file>', `configuration file (default: ${defaultDirectories().configuration})`)
  for (const [, { flag, description, variable }] of settingEntries) {
    program.option(flag, `${description} (${variable})`)
  }
  program.parse()

  const { config, ...given } = program.opts<{ config?: string } & Record<string, string | boolean>>()
  // commander names flags differently from the settings, for example `contentSharingPolicy`.
  const options = new Map(program.options.map((option) => [option.flags, option.attributeName()]))
  const flags = Object.fromEntries(
    settingEntries.flatMap(([name, { flag }]) => {
      const value = given[options.get(flag) ?? name]
      return value === undefined ? [] : [[name, value]]
    }),
  ) as Partial<Record<SettingName, string | boolean>>
  return { flags, file: config }
}
