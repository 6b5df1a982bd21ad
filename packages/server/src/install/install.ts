import { mkdir, open, rename } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fromSystemError, isErrno, NsboxError } from '@nsbox/errors'
import { defaultConfigurationText } from '../configuration/configuration-text.ts'
import { type UnitCommand, unitText } from './unit-text.ts'

/** Where units of packages and administrators are: this one is the host's own. */
const unitPath = '/etc/systemd/system/nsbox.service'

/** How to install. */
export interface InstallOptions extends UnitCommand {
  /** Directory that stands for the root of the host, as for packages; the host's by default. */
  readonly prefix?: string | undefined
  /** Whether files that differ are replaced; not by default. */
  readonly force?: boolean | undefined
}

/** A file that an installation consists of. */
export interface InstalledFile {
  /** On the host, without the prefix. */
  readonly path: string
  readonly text: string
}

/** The files of an installation. */
export function installedFiles(command: UnitCommand): readonly InstalledFile[] {
  return [
    { path: unitPath, text: unitText(command) },
    { path: command.configuration, text: defaultConfigurationText() },
  ]
}

/**
 * Writes the files of an installation; those that are there already are left as they are. Nothing is written if one
 * that is not to be replaced is there with other contents.
 *
 * @returns lines that say what was done, and what is to be done next
 * @throws `already_exists`, naming the file; the errors of writing
 */
export async function install({
  prefix = '/',
  force = false,
  ...command
}: InstallOptions): Promise<string[]> {
  const files = installedFiles(command).map((file) => ({ ...file, place: join(resolve(prefix), file.path) }))
  const done: string[] = []
  const found = await Promise.all(files.map(({ place }) => contents(place)))
  for (const [index, { place, text }] of files.entries())
    if (!force && found[index] !== undefined && found[index] !== text)
      throw new NsboxError('already_exists', `${place} (--force replaces it)`)
  for (const [index, { place, text }] of files.entries()) {
    if (found[index] === text) {
      done.push(`${place} is as it should be`)
      continue
    }
    await write(place, text)
    done.push(`${found[index] === undefined ? 'wrote' : 'replaced'} ${place}`)
  }
  return [
    ...done,
    'Next:',
    '  systemctl daemon-reload',
    '  systemctl enable --now nsbox',
    '  systemctl status nsbox',
  ]
}

async function contents(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path)
    return await file.readFile('utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw fromSystemError(error, path)
  }
}

/** A file that everybody can read, whole or not at all. */
async function write(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 })
    const draft = `${path}.${process.pid}.new`
    {
      await using file = await open(draft, 'wx', 0o644)
      await file.chmod(0o644)
      await file.writeFile(text)
      await file.sync()
    }
    await rename(draft, path)
  } catch (error) {
    throw fromSystemError(error, path)
  }
}
