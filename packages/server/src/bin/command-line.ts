import { addCompletion, addManual } from '@nsbox/command-line'
import { Command } from 'commander'
import { settingEntries } from '../configuration/check-setting.ts'
import type { ConfigurationSources } from '../configuration/read-configuration.ts'
import type { Setting, SettingName } from '../configuration/setting.ts'
import { version } from '../version.ts'
import { manualSections } from './manual-sections.ts'

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
  /** It is done: what was asked was about the command line itself. */
  | { readonly kind: 'answered' }

/** The same for everybody, as the manual page has it. */
const defaultFiles = '/etc/nsbox/config.toml, or ~/.config/nsbox/config.toml of an ordinary user'

/** Where the options of the program stand. */
const programOptions = 'before commands'

/** The command line of `nsbox-server`. @param begin takes what it is asked to do */
export function serverProgram(begin: (task: Task) => void): Command {
  const program = new Command('nsbox-server')
    .description('container daemon that speaks the API of containerd')
    .version(version, '-v, --version')
    .option('-c, --config <file>', `configuration file (default: ${defaultFiles})`)
    .enablePositionalOptions()
  for (const [, { flag, description, variable }] of settingEntries) {
    program.option(flag, `${description} (${variable})`)
  }
  program.action(() => begin({ kind: 'serve', sources: sourcesOf(program) }))
  const config = program.command('config').description('show or check the configuration')
  const onConfig = (action: 'default' | 'dump' | 'check', description: string) =>
    config
      .command(action)
      .description(description)
      .action(() => begin({ kind: 'config', action, sources: sourcesOf(program) }))
  onConfig('default', 'print a configuration file with all settings and their defaults')
  onConfig('dump', 'print what a server would run with: by flags, environment and file')
  onConfig('check', 'check flags, environment and file; errors name file, line and key')
  program
    .command('install')
    .description('write a unit for systemd and the default configuration file')
    .option('--force', 'replace files that are there with other contents')
    .option('--root <dir>', 'directory that stands for the root of the host, for packages')
    .option('--print', 'print the files, and write nothing')
    .action(({ root, force, print }) => begin({ kind: 'install', prefix: root, force, print }))
  addCompletion(program, {
    programOptions,
    sourceOf: ({ name }) => {
      const values = valuesOf(name)
      return values && (async () => values)
    },
  })
  return addManual(program, {
    version,
    project: 'nsbox',
    programOptions,
    section: 8,
    synopsis: '[options] [command]',
    sections: manualSections,
  })
}

/** Reads the arguments of the program. Ends the process where they ask for help or the version, or are wrong. */
export async function readCommandLine(): Promise<Task> {
  let task: Task = { kind: 'answered' }
  await serverProgram((asked) => {
    task = asked
  }).parseAsync()
  return task
}

/** The values that the setting of a flag may have, if they are few. @param long of the flag, with its dashes */
function valuesOf(long: string): readonly string[] | undefined {
  const named = settingEntries.find(([, { flag }]) => flag.split(/[ ,]+/).includes(long))
  const setting: Setting | undefined = named?.[1]
  return setting?.values
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
