import { diskUsage } from '@nsbox/core/disk'
import { useSignal } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import { chosenNamespace } from '../connection/namespace-choice.ts'
import { useResource } from '../connection/resource.ts'
import { Action } from '../elements/action.tsx'
import { Failure, Waiting } from '../elements/states.tsx'
import { Text } from '../elements/text.tsx'
import { bytesText } from '../format/quantities.ts'
import { shortened } from '../format/shortened.ts'
import { diskTree } from './disk-tree.ts'
import { HoldersTable } from './holders-table.tsx'
import { loadDisk } from './load-disk.ts'
import { PruneDialog } from './prune-dialog.tsx'
import { TreemapPicture } from './treemap-picture.tsx'

/** What holds the disk. */
export function DiskView() {
  const { value, failure } = useResource(loadDisk, (topic) =>
    /^\/(images|content|snapshot|containers|namespaces)\//.test(topic),
  )
  const pruned = useSignal<string | undefined>(undefined)
  const stored = value.value
  const usage = useMemo(() => stored && diskUsage(stored), [stored])
  const tree = useMemo(() => stored && diskTree(stored), [stored])
  const chosen = chosenNamespace.value
  const shown = tree?.filter(({ name }) => chosen === undefined || name === chosen)
  return (
    <section aria-labelledby="view-title">
      <header class="view-header">
        <h1 id="view-title" tabIndex={-1}>
          Disk
        </h1>
        <p class="summary" aria-live="polite">
          {usage && `${bytesText(usage.size)} in all; what namespaces share counts once`}
        </p>
      </header>
      <Failure of={failure.value} />
      {usage === undefined || shown === undefined ? (
        <Waiting />
      ) : (
        <>
          <TreemapPicture tree={shown} />
          <h2>Namespaces</h2>
          <table>
            <caption class="spoken">What each namespace takes on the disk</caption>
            <thead>
              <tr>
                <th scope="col">Namespace</th>
                <th scope="col" class="number">
                  Size
                </th>
                <th scope="col" class="number">
                  Its own
                </th>
                <th scope="col" class="number">
                  Content
                </th>
                <th scope="col" class="number">
                  Snapshots
                </th>
                <th scope="col" class="number">
                  Unused
                </th>
                <th scope="col">Actions</th>
              </tr>
            </thead>
            <tbody>
              {usage.namespaces
                .filter(({ name }) => chosen === undefined || name === chosen)
                .map(({ name, size, unique, content, snapshots, ingests, unheld }) => (
                  <tr key={name}>
                    <th scope="row" data-label="Namespace">
                      <Text of={name} />
                    </th>
                    <td data-label="Size" class="number">
                      {bytesText(size)}
                    </td>
                    <td data-label="Its own" class="number">
                      {bytesText(unique)}
                    </td>
                    <td data-label="Content" class="number">
                      {bytesText(content + ingests)}
                    </td>
                    <td data-label="Snapshots" class="number">
                      {bytesText(snapshots)}
                    </td>
                    <td data-label="Unused" class="number">
                      {bytesText(unheld)}
                    </td>
                    <td class="actions">
                      <Action
                        label={`Prune ${shortened(name)}`}
                        run={() => {
                          pruned.value = name
                        }}
                        reads
                      >
                        Prune…
                      </Action>
                    </td>
                  </tr>
                ))}
            </tbody>
          </table>
          <HoldersTable tree={shown} />
        </>
      )}
      {pruned.value !== undefined && (
        <PruneDialog
          namespace={pruned.value}
          onClose={() => {
            pruned.value = undefined
          }}
        />
      )}
    </section>
  )
}
