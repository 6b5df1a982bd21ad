import { realpath } from 'node:fs/promises'
import { isNsboxError } from '@nsbox/errors'
import type { Task } from './bin/command-line.ts'
import { configurationText, defaultConfigurationText } from './configuration/configuration-text.ts'
import { readConfiguration } from './configuration/read-configuration.ts'
import { install, installedFiles } from './install/install.ts'
import { openGatedListeners } from './listen/gated-listeners.ts'
import { parseMetricsAddress } from './metrics/metrics-listener.ts'

/** The configuration file of an installation. */
const installedConfiguration = '/etc/nsbox/config.toml'

/**
 * Does what the program is asked for besides serving, and prints what there is to say. If it fails, it prints one line
 * on standard error, and the exit code is 1.
 */
export async function runTask(task: Extract<Task, { kind: 'config' | 'install' }>): Promise<void> {
  try {
    process.stdout.write(await (task.kind === 'config' ? config(task) : installation(task)))
  } catch (error) {
    const text = isNsboxError(error) ? error.message : error instanceof Error ? error.stack : String(error)
    process.stderr.write(`nsbox-server: ${text}\n`)
    process.exitCode = 1
  }
}

async function config({ action, sources }: Extract<Task, { kind: 'config' }>): Promise<string> {
  if (action === 'default') return defaultConfigurationText()
  const configuration = await readConfiguration(sources)
  if (action === 'dump') return configurationText(configuration)
  // What settings need of each other, and the files that they name, as a start would.
  await openGatedListeners(configuration)
  if (configuration.metricsAddress !== undefined) parseMetricsAddress(configuration.metricsAddress)
  return 'the configuration is fine\n'
}

async function installation({ print, ...options }: Extract<Task, { kind: 'install' }>): Promise<string> {
  const command = {
    node: process.execPath,
    program: await realpath(process.argv[1]!),
    configuration: installedConfiguration,
  }
  if (!print) return `${(await install({ ...options, ...command })).join('\n')}\n`
  return installedFiles(command)
    .map(({ path, text }) => `# ${path}\n${text}`)
    .join('\n')
}
