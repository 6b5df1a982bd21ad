import { mkdirSync, writeFileSync } from 'node:fs'
import { join, normalize } from 'node:path/posix'
import { create, toBinary } from '@bufbuild/protobuf'
import { AnySchema } from '@bufbuild/protobuf/wkt'
import {
  type Bundle,
  outputFiles,
  pathsOfSpec,
  processIo,
  readBundleLog,
  readBundleSpec,
  readOnly,
  TaskUses,
} from '@nsbox/bundle'
import type { RuntimeTaskOptions } from '@nsbox/core/tasks'
import { isNotFound, NsboxError, quoted } from '@nsbox/errors'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { type Bootstrap, parseBootstrap } from '../shim/bootstrap.ts'
import { findShim } from '../shim/find-shim.ts'
import { runShimCommand } from '../shim/shim-command.ts'
import { connectShim } from '../shim/shim-connection.ts'
import { imagePathOfRestore } from './image-paths.ts'
import { deleteByProgram } from './left-task.ts'
import type { ShimContext } from './shim-context.ts'
import { ShimTask } from './shim-task.ts'
import { type TaskRecord, writeTask } from './task-record.ts'

/** Milliseconds that a shim may take to start; one with a virtual machine starts that later. */
const startTimeout = 60_000

/** The parts of a new task. */
export interface NewTask {
  readonly namespace: string
  readonly id: string
  readonly context: ShimContext
  readonly options: RuntimeTaskOptions
  /** The task whose shim it shares; it gets its own if absent. */
  readonly sandbox?: ShimTask | undefined
}

/**
 * Makes a bundle, a shim for it, and the task in that. The shim mounts the root filesystem. After an error nothing is
 * left.
 */
export async function createTask({ namespace, id, context, options, sandbox }: NewTask): Promise<ShimTask> {
  const { spec, rootfs, signal, runtimeName = '' } = options
  const binary = await findShim(options.runtimePath ?? runtimeName, context.searchPath)
  const { paths } = await readBundleSpec(spec)
  const io = processIo(options)
  await using undo = new AsyncDisposableStack()
  const uses = new TaskUses(namespace, context.uses)
  let made: Bundle | undefined
  undo.defer(async () => {
    await made?.remove()
    // Mounts that cannot be removed stay.
    uses.release()
  })
  const given = imagePathOfRestore(options.options)
  const taken = [...rootfs, ...(given === '' ? [] : [readOnly(given)])]
  await uses.add({ mounts: taken, changeable: paths.changesMounts, files: outputFiles(io) }, { signal })
  const bundle = await context.bundles.create(namespace, id, { spec, rootfs: [], signal })
  made = bundle
  // Some shims keep files there that do not belong in memory, such as logs of CRIU.
  mkdirSync(join(bundle.path, 'work'), { mode: 0o711 })
  // As in containerd's bundles, for programs that look into them.
  writeFileSync(join(bundle.path, 'shim-binary-path'), binary, { mode: 0o600 })
  requireOutside(paths.mounts, bundle)
  const more = pathsOfSpec(paths, bundle)
  if (more !== undefined) await uses.add(more, { signal })
  // Those that the options name stay when the task ends, and come first, as in containerd.
  const images = given === '' ? await imagesOf(options, context, undo) : undefined
  const begun: TaskRecord = {
    ...{ binary, isShared: sandbox !== undefined, pid: 0, uses: uses.records, exitTold: false },
    ...(images !== undefined && { images }),
  }
  // From here on, a later process that finds the bundle knows what to undo.
  writeTask(bundle, begun)
  const log = undo.use(readBundleLog(bundle.logFifo, (line) => context.onLog(line, { namespace, id })))
  const encoded = options.options && toBinary(AnySchema, create(AnySchema, options.options))
  const bootstrap = sandbox?.record.bootstrap ?? (await startShim(bundle, begun, context, encoded, signal))
  if (sandbox !== undefined) writeFileSync(join(bundle.path, 'sandbox'), sandbox.id, { mode: 0o600 })
  const record = { ...begun, bootstrap }
  writeTask(bundle, record)
  const connection = await connected(bundle, record, bootstrap, context, signal)
  const task = new ShimTask({ bundle, record, uses, connection, log, context })
  undo.defer(() => task.undo())
  const { pid } = await task.call(
    (service) =>
      service.create(
        {
          ...{ id, bundle: bundle.path, ...io },
          rootfs: rootfs.map(({ type, source, target = '', options: given }) => {
            return { type, source, target, options: [...given] }
          }),
          checkpoint: images ?? given,
          options: options.options,
        },
        { signal },
      ),
    { signal },
  )
  task.change({ pid })
  undo.move()
  return task
}

/**
 * Refuses a spec with paths in its own bundle: they cannot be checked in advance, since the shim later mounts the root
 * filesystem there, whose links may lead anywhere.
 */
function requireOutside(
  mounts: readonly { readonly type: string; readonly source: string }[],
  bundle: Bundle,
): void {
  for (const { source, type } of mounts) {
    const isPath = source.includes('/') || type === 'bind'
    if (!isPath) continue
    const path = normalize(`${source.startsWith('/') ? source : join(bundle.path, source)}/`)
    if (path.startsWith(`${bundle.path}/`))
      throw new NsboxError(
        'invalid_argument',
        `mount of ${quoted(source)}, which is in the bundle, by a shim`,
      )
  }
}

async function imagesOf(
  { restore, signal }: RuntimeTaskOptions,
  { images }: ShimContext,
  undo: AsyncDisposableStack,
): Promise<string | undefined> {
  if (restore === undefined) return undefined
  const directory = undo.use(await images.create())
  await restore(directory.path, { signal })
  return directory.path
}

async function startShim(
  bundle: Bundle,
  record: TaskRecord,
  context: ShimContext,
  input: Uint8Array | undefined,
  signal: AbortSignal | undefined,
): Promise<Bootstrap> {
  const { namespace, id, path } = bundle
  const { binary } = record
  const { addresses } = context
  const command = { binary, action: 'start' as const, namespace, id, bundle: path, addresses }
  try {
    return parseBootstrap(
      (await runShimCommand({ ...command, input, timeout: startTimeout, signal })).toString(),
    )
  } catch (error) {
    // A failed start may leave a shim.
    await deleteByProgram({ bundle, record, context }).catch(() => undefined)
    throw error
  }
}

async function connected(
  bundle: Bundle,
  record: TaskRecord,
  bootstrap: Bootstrap,
  context: ShimContext,
  signal: AbortSignal | undefined,
) {
  try {
    return await connectShim(bootstrap, { signal })
  } catch (error) {
    if (!record.isShared) await deleteByProgram({ bundle, record, context }).catch(() => undefined)
    if (!isNotFound(error)) throw error
    throw new NsboxError('unavailable', `shim of ${quoted(bundle.id)}`, { cause: error })
  }
}
