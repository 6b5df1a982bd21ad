import { removeContainer } from '@nsbox/client'
import { NsboxError } from '@nsbox/errors'
import { encodeSpec } from '@nsbox/oci/runtime-spec'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import type { ContainerFlags } from './container/container-flags.ts'
import { containerRequest } from './container/container-request.ts'
import { createContainer, previewSpec } from './container/create-container.ts'
import { findCheckpoint } from './container/from-checkpoint.ts'
import { withoutPivot } from './container/runtime-options.ts'
import { specHasTerminal } from './container/spec-has-terminal.ts'
import { Terminal } from './foreground/terminal.ts'
import { indentJson } from './indent-json.ts'
import { networkOf } from './network/container-network.ts'
import { printText } from './print.ts'
import { requireDaemon } from './require-daemon.ts'
import type { Session } from './session.ts'
import { runTask } from './tasks/run-task.ts'
import { type StdioFlags, stdioOf } from './tasks/stdio-flags.ts'
import { joinUserNamespaceOfServer } from './user-namespace.ts'

/** What `run` may be told. */
export interface RunFlags extends ContainerFlags, StdioFlags {
  readonly checkpoint?: string
  readonly detach?: boolean
  readonly dumpConfig?: boolean
  readonly pidFile?: string
  /** False for `--no-pivot`. */
  readonly pivot?: boolean
  readonly rm?: boolean
}

/** `run` */
export async function runContainer(
  session: Session,
  flags: RunFlags,
  args: readonly string[],
): Promise<void> {
  if (flags.rm && flags.detach) {
    throw new NsboxError('invalid_argument', 'flags --detach and --rm cannot be specified together')
  }
  if (flags.detach) requireDaemon(session)
  await joinUserNamespaceOfServer(session)
  const { client, signal } = session
  const request = containerRequest(flags, args)
  const stdio = stdioOf(flags)
  if (flags.dumpConfig) {
    printText(`${indentJson(new TextDecoder().decode(encodeSpec(await previewSpec(session, request))))}\n`)
    return
  }
  if (flags.tty && !flags.detach) Terminal.require()
  const checkpoint =
    flags.checkpoint === undefined ? undefined : await findCheckpoint(session, flags.checkpoint, request)
  const container = await createContainer(session, request, checkpoint)
  // A container whose task cannot be started is useless.
  await using removal = new AsyncDisposableStack()
  removal.defer(() => removeContainer(session.client, container))
  const { spec, runtime } = container
  const task = await client.container(container.id).createTask({
    ...stdio,
    terminal: specHasTerminal(spec),
    checkpoint: checkpoint?.memory,
    options: flags.pivot === false ? withoutPivot(runtime.options) : undefined,
    signal,
  })
  await runTask(session, task, {
    detach: flags.detach,
    pidFile: flags.pidFile,
    network: await networkOf(session, container),
    endsWithCommand: flags.rm,
    onStart: () => {
      if (!flags.rm) removal.move()
    },
  })
}
