import { withoutPivot } from '../container/runtime-options.ts'
import { specHasTerminal } from '../container/spec-has-terminal.ts'
import { Terminal } from '../foreground/terminal.ts'
import { networkOf } from '../network/container-network.ts'
import { requireDaemon } from '../require-daemon.ts'
import { requireId } from '../require-id.ts'
import type { Session } from '../session.ts'
import { joinUserNamespaceOfServer } from '../user-namespace.ts'
import { runTask } from './run-task.ts'
import { type StdioFlags, stdioOf } from './stdio-flags.ts'

/** What `tasks start` may be told. */
export interface StartFlags extends StdioFlags {
  readonly detach?: boolean
  readonly pidFile?: string
  /** False for `--no-pivot`. */
  readonly pivot?: boolean
}

/** `tasks start` */
export async function startTask(
  session: Session,
  flags: StartFlags,
  idGiven: string | undefined,
): Promise<void> {
  if (flags.detach) requireDaemon(session)
  await joinUserNamespaceOfServer(session)
  const { client, signal } = session
  const id = requireId(idGiven)
  const container = await client.containers.get(id, { signal })
  const { spec, runtime } = container
  const terminal = specHasTerminal(spec)
  if (terminal && !flags.detach) Terminal.require()
  const options = flags.pivot === false ? withoutPivot(runtime.options) : undefined
  const task = await client.container(id).createTask({ ...stdioOf(flags), terminal, options, signal })
  await runTask(session, task, {
    detach: flags.detach,
    pidFile: flags.pidFile,
    network: await networkOf(session, container),
  })
}
