import { homedir } from 'node:os'
import { join } from 'node:path'
import { directoriesUser } from '@nsbox/client'

/** The default places of a server. */
export interface DefaultDirectories {
  readonly root: string
  readonly state: string
  /** The configuration file that is read if none is named. */
  readonly configuration: string
}

/** The system's directories for root; the user's own (XDG base directories) for anybody else. */
export function defaultDirectories({
  uid = directoriesUser(),
  env = process.env,
}: {
  uid?: number | undefined
  env?: Readonly<Record<string, string | undefined>>
} = {}): DefaultDirectories {
  if (uid === 0)
    return { root: '/var/lib/nsbox', state: '/run/nsbox', configuration: '/etc/nsbox/config.toml' }
  const data = env.XDG_DATA_HOME || join(env.HOME || homedir(), '.local', 'share')
  const configuration = env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config')
  const runtime = env.XDG_RUNTIME_DIR || `/run/user/${uid}`
  return {
    root: join(data, 'nsbox'),
    state: join(runtime, 'nsbox'),
    configuration: join(configuration, 'nsbox', 'config.toml'),
  }
}
