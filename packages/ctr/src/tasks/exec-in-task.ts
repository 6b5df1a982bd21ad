import type { ProcessHandle } from '@nsbox/client'
import type { Container } from '@nsbox/core/containers'
import { NsboxError } from '@nsbox/errors'
import { parseSpec, resolveUser } from '@nsbox/oci/runtime-spec'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { withRootfs } from '../container/with-rootfs.ts'
import { runInForeground } from '../foreground/run-in-foreground.ts'
import { Terminal } from '../foreground/terminal.ts'
import { requireId } from '../require-id.ts'
import type { Session } from '../session.ts'
import { joinUserNamespaceOfServer } from '../user-namespace.ts'
import { type StdioFlags, stdioOf } from './stdio-flags.ts'

/** What `tasks exec` may be told. */
export interface ExecFlags extends StdioFlags {
  readonly cwd?: string
  readonly tty?: boolean
  readonly detach?: boolean
  readonly execId?: string
  readonly user?: string
}

/** `tasks exec` */
export async function execInTask(
  session: Session,
  flags: ExecFlags,
  container: string | undefined,
  args: readonly string[],
): Promise<void> {
  const { client, signal } = session
  const id = requireId(container)
  if (args.length === 0) throw new NsboxError('invalid_argument', 'command must be provided')
  if (flags.tty && !flags.detach) Terminal.require()
  const info = await client.containers.get(id, { signal })
  const own = parseSpec(info.spec.value).process
  if (own === undefined)
    throw new NsboxError('failed_precondition', `container ${id} says nothing of processes`)
  const user = flags.user === undefined ? own.user : await userOf(session, info, flags.user)
  await using task = await client.container(id).task({ signal })
  const process = await task.exec({
    ...stdioOf(flags),
    process: { ...own, user },
    args,
    cwd: flags.cwd,
    terminal: flags.tty === true,
    execId: flags.execId,
    signal,
  })
  await runExec(session, process, flags)
}

async function userOf(session: Session, container: Container, name: string) {
  await joinUserNamespaceOfServer(session)
  const { signal } = session
  return await withRootfs(session, container, (rootfs) => resolveUser(name, rootfs, { signal }))
}

async function runExec(session: Session, exec: ProcessHandle, { detach }: ExecFlags): Promise<void> {
  const { signal } = session
  await using owned = new AsyncDisposableStack()
  owned.use(exec)
  await using unstarted = new AsyncDisposableStack()
  unstarted.defer(async () => {
    await exec.delete()
  })
  const start = async () => {
    await exec.start({ signal })
    unstarted.move()
  }
  if (detach) {
    await start()
    return
  }
  const { exitStatus } = await runInForeground(exec, { session, start })
  await exec.delete({ signal })
  process.exitCode = exitStatus
}
