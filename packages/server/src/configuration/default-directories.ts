import { homedir } from 'node:os'
import { join } from 'node:path'

/** The default directories of a server. */
export interface DefaultDirectories {
  readonly root: string
  readonly state: string
}

/** The system's directories for root; the user's own (XDG base directories) for anybody else. */
export function defaultDirectories({
  uid = process.geteuid?.(),
  env = process.env,
}: {
  uid?: number | undefined
  env?: Readonly<Record<string, string | undefined>>
} = {}): DefaultDirectories {
  if (uid === 0) return { root: '/var/lib/nsbox', state: '/run/nsbox' }
  const data = env.XDG_DATA_HOME || join(env.HOME || homedir(), '.local', 'share')
  const runtime = env.XDG_RUNTIME_DIR || `/run/user/${uid}`
  return { root: join(data, 'nsbox'), state: join(runtime, 'nsbox') }
}
