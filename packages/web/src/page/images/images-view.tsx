import { useSignal } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import { chosenNamespace } from '../connection/namespace-choice.ts'
import { useResource } from '../connection/resource.ts'
import { Failure, Waiting } from '../elements/states.tsx'
import { shortened } from '../format/shortened.ts'
import { ImageRow } from './image-row.tsx'
import { loadImages } from './load-images.ts'
import { PullForm } from './pull-form.tsx'
import { PullsList } from './pulls-list.tsx'
import { sharingOf } from './sharing.ts'

/** Most rows shown at a time; a filter finds the others. */
const mostRows = 200

/** The images, their layers, and what is pulled. */
export function ImagesView() {
  const { value, failure } = useResource(
    loadImages,
    (topic) =>
      topic.startsWith('/images/') || topic.startsWith('/namespaces/') || topic === '/content/delete',
    [chosenNamespace.value],
  )
  const filter = useSignal('')
  const all = value.value
  const sharing = useMemo(() => sharingOf(all ?? []), [all])
  const wanted = filter.value.trim().toLowerCase()
  const matching = (all ?? [])
    .filter(({ namespace, name }) => [namespace, name].some((text) => text.toLowerCase().includes(wanted)))
    .sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)))
  const largest = Math.max(
    1,
    ...matching.map(({ layers }) => layers.reduce((sum, { size }) => sum + size, 0)),
  )
  return (
    <section aria-labelledby="view-title">
      <header class="view-header">
        <h1 id="view-title" tabIndex={-1}>
          Images
        </h1>
        <p class="summary" aria-live="polite">
          {all && `${matching.length} ${matching.length === 1 ? 'image' : 'images'}`}
        </p>
        <input
          type="search"
          aria-label="Filter images"
          placeholder="Filter"
          value={filter.value}
          onInput={(event) => {
            filter.value = event.currentTarget.value
          }}
        />
      </header>
      <PullForm namespace={chosenNamespace.value ?? 'default'} key={chosenNamespace.value} />
      <PullsList />
      <Failure of={failure.value} />
      {all === undefined ? (
        <Waiting />
      ) : matching.length === 0 ? (
        <p class="nothing">
          {wanted === ''
            ? 'No images yet. Pull one above, or by "ctr pull".'
            : `No image matches "${shortened(filter.value)}".`}
        </p>
      ) : (
        <table class="images">
          <caption class="spoken">Images and their layers</caption>
          <thead>
            <tr>
              <th scope="col">Image</th>
              <th scope="col">Layers</th>
              <th scope="col" class="number">
                Size
              </th>
              <th scope="col" class="number">
                Shared
              </th>
              <th scope="col" class="number">
                Age
              </th>
              <th scope="col">Actions</th>
            </tr>
          </thead>
          <tbody>
            {matching.slice(0, mostRows).map((image) => (
              <ImageRow
                key={`${image.namespace}\0${image.name}`}
                image={image}
                sharing={sharing}
                largest={largest}
                withNamespace={chosenNamespace.value === undefined}
              />
            ))}
          </tbody>
        </table>
      )}
      {matching.length > mostRows && (
        <p class="nothing">{matching.length - mostRows} more are not shown: filter to find them.</p>
      )}
    </section>
  )
}
