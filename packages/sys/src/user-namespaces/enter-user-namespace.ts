import { spawnSync } from 'node:child_process'
import { accessSync, constants, mkdtempSync, readFileSync, readlinkSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { delimiter, join } from 'node:path'
import { NsboxError } from '@nsbox/errors'
import type { IdRange } from './id-ranges.ts'
import { replaceProgram } from './replace-program.ts'
import { rangesFor, subordinateIds } from './subordinate-ids.ts'

/** Makes a user namespace and a mount namespace, into which mounts of the host go on coming. */
const unshare = ['unshare', '-U', '-m', '--propagation', 'unchanged']

/** Only the user's own id: no program with more rights is needed. */
const withOwnId = `exec ${unshare.join(' ')} -r -- "$@"`

/**
 * With further ids. The kernel lets only a process outside write them down, by programs that check whose they are
 * (newuidmap(1)). That process is no child, so that nobody has to wait for it; if this one dies before, it sees the end
 * of the FIFO that this one holds open.
 */
const withMoreIds = `
directory=$1 uids=$2 gids=$3 pid=$$
shift 3
mkfifo -m 600 "$directory/made" "$directory/mapped" || exit 1
exec 3<>"$directory/made" 4>"$directory/made"
( (
  exec 5<"$directory/made" 3>&- 4>&-
  read -r line <&5 || exec rm -r "$directory"
  answer=failed
  newuidmap "$pid" $uids && newgidmap "$pid" $gids && answer=done
  echo "$answer" >"$directory/mapped"
) & )
exec 3>&-
exec ${unshare.join(' ')} -- /bin/sh -c '
  echo made >&4
  exec 4>&-
  read -r answer <"$0/mapped"
  rm -r "$0"
  if [ "$answer" != done ]; then
    echo "the ids of this user in /etc/subuid and /etc/subgid cannot be used" >&2
    exit 1
  fi
  exec "$@"
' "$directory" "$@"
`

/** The working directory is looked up again, since the namespace has mounts of its own. */
const joining = `
pid=$1
shift
exec nsenter --preserve-credentials -U -m -t "$pid" -- /bin/sh -c '
  cd "$0" && exec "$@"
' "$PWD" "$@"
`

/** How an ordinary user gets a user namespace. */
export interface UserNamespacePlan {
  readonly uids: readonly IdRange[]
  readonly gids: readonly IdRange[]
  /** Why there are no more ids than the user's own; undefined if there are. */
  readonly lacking: string | undefined
}

/** The ids of the namespace that `enterUserNamespace` makes. */
export function planUserNamespace(): UserNamespacePlan {
  const owner = { name: accountName(), uid: process.geteuid!() }
  const [uids, gids] = [subordinateIds('uid', owner), subordinateIds('gid', owner)]
  const lacking = whatLacks(owner.name ?? owner.uid, uids.length > 0 && gids.length > 0)
  return {
    uids: rangesFor(owner.uid, lacking === undefined ? uids : []),
    gids: rangesFor(process.getegid!(), lacking === undefined ? gids : []),
    lacking,
  }
}

/** Why this user cannot make a user namespace; undefined if it is possible. */
export function userNamespaceRefusal(): string | undefined {
  // Changing mounts shows more than making the namespace: some systems allow the one and refuse the other.
  const options = ['-U', '-m', '-r', '--propagation', 'private']
  const [program, ...args] = ['unshare', ...options, '--', '/bin/sh', '-c', ':']
  const { error, status, stderr } = spawnSync(program!, args, {
    encoding: 'utf8',
    timeout: 10_000,
  })
  if (error !== undefined) return `the program ${program}: ${error.message}`
  return status === 0 ? undefined : stderr.trim() || `${program} ended with status ${status}`
}

/**
 * Starts this program again, with the same pid, as root of a user namespace of its own: there it can mount, and give
 * files to the ids of `planUserNamespace`. To be called before the program has done anything. Does nothing for root,
 * also of a user namespace, and on other systems than Linux.
 *
 * Only for a program that is this process's own: everything in the process ends, without any clean-up.
 *
 * @throws `failed_precondition` if there can be no user namespace
 */
export function enterUserNamespace(): void {
  if (!canGainByUserNamespace()) return
  const refusal = userNamespaceRefusal()
  if (refusal !== undefined)
    throw new NsboxError('failed_precondition', `no user namespace can be made here: ${refusal}`)
  const { uids, gids, lacking } = planUserNamespace()
  if (lacking !== undefined) again(withOwnId, [])
  const directory = mkdtempSync(join(tmpdir(), 'nsbox-namespace-'))
  again(withMoreIds, [directory, mappingArguments(uids), mappingArguments(gids)])
}

/**
 * As `enterUserNamespace`, but enters the user and mount namespace that another process has. Does nothing if that is
 * the one of this process.
 */
export function joinUserNamespace(pid: number): void {
  if (!canGainByUserNamespace() || isOwnNamespace(pid)) return
  again(joining, [String(pid)])
}

/** Whether this is an ordinary user of a system with user namespaces. */
export function canGainByUserNamespace(): boolean {
  return process.platform === 'linux' && process.geteuid?.() !== 0
}

/** Whether another process is in the user namespace of this one, or is another user's, or gone. */
function isOwnNamespace(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/ns/user`) === readlinkSync('/proc/self/ns/user')
  } catch {
    return true
  }
}

function again(script: string, args: readonly string[]): never {
  const program = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  replaceProgram('/bin/sh', ['-c', script, 'sh', ...args, ...program], { ...process.env, PWD: process.cwd() })
}

/** Ranges as arguments of newuidmap(1). */
function mappingArguments(ranges: readonly IdRange[]): string {
  return ranges.flatMap(({ inside, outside, count }) => [inside, outside, count]).join(' ')
}

function whatLacks(user: string | number, hasIds: boolean): string | undefined {
  if (!hasIds) return `/etc/subuid and /etc/subgid have no ids of user ${user}`
  if (/^NoNewPrivs:\s*1$/m.test(readFileSync('/proc/self/status', 'latin1')))
    return 'this process may not gain privileges (no_new_privs), which newuidmap needs'
  const missing = ['newuidmap', 'newgidmap'].filter((name) => !isInstalled(name))
  return missing.length === 0 ? undefined : `${missing.join(' and ')} (package uidmap) are not installed`
}

function isInstalled(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** Undefined for a user without an account. */
function accountName(): string | undefined {
  try {
    return userInfo().username
  } catch {
    return undefined
  }
}
