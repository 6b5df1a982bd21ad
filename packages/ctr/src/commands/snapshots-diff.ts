import { randomUUID } from 'node:crypto'
import type { Mount, Snapshotter } from '@nsbox/core/snapshots'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { Command } from 'commander'
import { chosenSnapshotter } from '../chosen-snapshotter.ts'
import { withSession } from '../command-action.ts'
import { gcRootLabel } from '../gc-root-label.ts'
import { parseLabels } from '../parse-labels.ts'
import { repeated } from '../repeated-option.ts'
import { writeOutput } from '../write-output.ts'

/** `snapshots diff <idA> [<idB>]` */
export function snapshotsDiffCommand(): Command {
  return new Command('diff')
    .description('write the layer that makes one snapshot of another to standard output')
    .argument('<a>', 'snapshot that the layer starts from; without another one, what it makes of its parent')
    .argument('[b]', 'snapshot that the layer leads to')
    .option('--media-type <type>', 'media type of the layer', 'application/vnd.oci.image.layer.v1.tar+gzip')
    .option('--ref <ref>', 'name of the ingest that the layer is written to')
    .option('--keep', 'keep the layer as a blob, until somebody removes it')
    .option('--label <label>', 'key=value for the blob; may be given again', repeated)
    .action(
      withSession(
        async (
          session,
          options: { mediaType: string; ref?: string; keep?: boolean; label?: string[] },
          a: string,
          b: string | undefined,
        ) => {
          const { client, signal } = session
          const { name } = await chosenSnapshotter(session)
          await using lease = await client.createLease({ signal })
          const snapshotter = lease.client.snapshotter(name)
          const [lower, upper] =
            b === undefined ? [(await snapshotter.stat(a, { signal })).parent, a] : [a, b]
          await using views = new AsyncDisposableStack()
          const layer = await lease.client.comparer.compare(
            lower === undefined ? [] : await mountsOf(lower, { snapshotter, views, signal }),
            await mountsOf(upper, { snapshotter, views, signal }),
            {
              mediaType: options.mediaType,
              ref: options.ref,
              labels: { ...(options.keep ? gcRootLabel() : {}), ...parseLabels(options.label ?? []) },
              signal,
            },
          )
          await writeOutput(lease.client.content.read(layer.digest, { signal }))
        },
      ),
    )
}

/** What to mount to see a snapshot of any kind; views that are made for it are removed with `views`. */
async function mountsOf(
  name: string,
  {
    snapshotter,
    views,
    signal,
  }: { snapshotter: Snapshotter; views: AsyncDisposableStack; signal: AbortSignal },
): Promise<Mount[]> {
  const { kind } = await snapshotter.stat(name, { signal })
  if (kind !== 'committed') return await snapshotter.mounts(name, { signal })
  const key = `diff-view-${randomUUID()}`
  const mounts = await snapshotter.view(key, name, { signal })
  views.defer(() => snapshotter.remove(key))
  return mounts
}
