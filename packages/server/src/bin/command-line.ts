import { Command } from 'commander'
import { settingEntries } from '../configuration/check-setting.ts'
import { defaultDirectories } from '../configuration/default-directories.ts'
import type { ConfigurationSources } from '../configuration/read-configuration.ts'
import type { SettingName } from '../configuration/setting.ts'
import { version } from '../version.ts'

/** What the program is asked to do. */
export type Task =
  | { readonly kind: 'serve'; readonly sources: ConfigurationSources }
  | {
      readonly kind: 'config'
      readonly action: 'default' | 'dump' | 'check'
      readonly sources: ConfigurationSources
    }
  | {
      readonly kind: 'install'
      readonly prefix?: string | undefined
      readonly force?: boolean | undefined
      readonly print?: boolean | undefined
    }

/** Reads the arguments of the program. Ends the process where they ask for help or the version, or are wrong. */
export function readCommandLine(): Task {
  const program = new Command('nsbox-server')
    .description('container daemon that speaks the API of containerd')
    .version(version, '-v, --version')
    .option('-c, --config <file>', `configuration file (default: ${defaultDirectories().configuration})`)
    .enablePositionalOptions()
  for (const [, { flag, description, variable }] of settingEntries) {
    program.option(flag, `${description} (${variable})`)
  }
  let task: Task | undefined
  program.action(() => {
    task = { kind: 'serve', sources: sourcesOf(program) }
  })
  const config = program.command('config').description('show or check the configuration')
  const onConfig = (action: 'default' | 'dump' | 'check', description: string) =>
    config
      .command(action)
      .description(description)
      .action(() => {
        task = { kind: 'config', action, sources: sourcesOf(program) }
      })
  onConfig('default', 'print a configuration file with all settings and their defaults')
  onConfig('dump', 'print what a server would run with: by flags, environment and file')
  onConfig('check', 'check flags, environment and file; errors name file, line and key')
  program
    .command('install')
    .description('write a unit for systemd and the default configuration file')
    .option('--force', 'replace files that are there with other contents')
    .option('--root <dir>', 'directory that stands for the root of the host, for packages')
    .option('--print', 'print the files, and write nothing')
    .action(({ root, force, print }) => {
      task = { kind: 'install', prefix: root, force, print }
    })
  program.parse()
  if (task === undefined) throw new TypeError('the command line has no action')
  return task
}

function sourcesOf(program: Command): ConfigurationSources {
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
