import { useSignal } from '@preact/signals'
import { chosenNamespace } from '../connection/namespace-choice.ts'
import { useResource } from '../connection/resource.ts'
import { Failure, Waiting } from '../elements/states.tsx'
import { shortened } from '../format/shortened.ts'
import { ContainerRow } from './container-row.tsx'
import { forkTree } from './forked-from.ts'
import { loadContainers } from './load-containers.ts'

/** Most rows shown at a time; a filter finds the others. */
const mostRows = 200

/** The containers and their tasks, those that were forked below what they were forked from. */
export function ContainersView() {
  const { value, failure } = useResource(
    loadContainers,
    (topic) =>
      topic.startsWith('/containers/') || topic.startsWith('/tasks/') || topic.startsWith('/namespaces/'),
    [chosenNamespace.value],
  )
  const filter = useSignal('')
  const all = value.value
  const wanted = filter.value.trim().toLowerCase()
  const matching = (all ?? []).filter(
    ({ namespace, id, image, state }) =>
      wanted === '' || [namespace, id, image, state].some((text) => text.toLowerCase().includes(wanted)),
  )
  const taken = new Set((all ?? []).map(({ namespace, id }) => `${namespace}\0${id}`))
  const placed = forkTree(matching)
  const running = matching.filter(({ state }) => state === 'running').length
  const withNamespace = chosenNamespace.value === undefined
  return (
    <section aria-labelledby="view-title">
      <header class="view-header">
        <h1 id="view-title" tabIndex={-1}>
          Containers
        </h1>
        <p class="summary" aria-live="polite">
          {all &&
            `${matching.length} ${matching.length === 1 ? 'container' : 'containers'}, ${running} running`}
        </p>
        <input
          type="search"
          aria-label="Filter containers"
          placeholder="Filter"
          value={filter.value}
          onInput={(event) => {
            filter.value = event.currentTarget.value
          }}
        />
      </header>
      <Failure of={failure.value} />
      {all === undefined ? (
        <Waiting />
      ) : placed.length === 0 ? (
        <p class="nothing">
          {wanted === ''
            ? 'No containers yet. "ctr run" makes and starts one.'
            : `No container matches "${shortened(filter.value)}".`}
        </p>
      ) : (
        <table class="containers">
          <caption class="spoken">Containers and their tasks</caption>
          <thead>
            <tr>
              <th scope="col">Container</th>
              <th scope="col">State</th>
              <th scope="col">Image</th>
              <th scope="col" class="number">
                Age
              </th>
              <th scope="col">CPU</th>
              <th scope="col">Memory</th>
              <th scope="col">Actions</th>
            </tr>
          </thead>
          <tbody>
            {placed.slice(0, mostRows).map(({ item, depth }) => (
              <ContainerRow
                key={`${item.namespace}\0${item.id}`}
                container={item}
                depth={depth}
                withNamespace={withNamespace}
                isTaken={(id) => taken.has(`${item.namespace}\0${id}`)}
              />
            ))}
          </tbody>
        </table>
      )}
      {placed.length > mostRows && (
        <p class="nothing">{placed.length - mostRows} more are not shown: filter to find them.</p>
      )}
    </section>
  )
}
