import { Text } from '../elements/text.tsx'
import { bytesText } from '../format/quantities.ts'
import type { NamespaceTree } from './disk-tree.ts'
import { holderName } from './holder-name.ts'

/** Most rows shown. */
const mostRows = 100

const kinds = {
  image: 'image',
  container: 'container',
  shared: 'several',
  other: 'other',
  unused: 'nothing',
} as const

/** Who holds what, the largest first: each byte counts for one holder of its namespace. */
export function HoldersTable({ tree }: { readonly tree: readonly NamespaceTree[] }) {
  const rows = tree
    .flatMap(({ name: namespace, holders }) => holders.map((holder) => ({ namespace, ...holder })))
    .sort((a, b) => b.size - a.size)
  if (rows.length === 0) return null
  return (
    <>
      <h2>Who holds what</h2>
      <table>
        <caption class="spoken">Who holds what, the largest first</caption>
        <thead>
          <tr>
            <th scope="col">Held by</th>
            <th scope="col">Kind</th>
            <th scope="col">Namespace</th>
            <th scope="col" class="number">
              Content
            </th>
            <th scope="col" class="number">
              Snapshots
            </th>
            <th scope="col" class="number">
              Size
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, mostRows).map(({ namespace, kind, name, content, snapshots, size }) => (
            <tr key={`${namespace}\0${kind}\0${name}`}>
              <th scope="row" data-label="Held by">
                <span class={`swatch ${kind}`} aria-hidden="true" />
                <Text of={holderName({ kind, name })} length={80} />
              </th>
              <td data-label="Kind">{kinds[kind]}</td>
              <td data-label="Namespace">
                <Text of={namespace} length={24} />
              </td>
              <td data-label="Content" class="number">
                {bytesText(content)}
              </td>
              <td data-label="Snapshots" class="number">
                {bytesText(snapshots)}
              </td>
              <td data-label="Size" class="number">
                {bytesText(size)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > mostRows && <p class="nothing">{rows.length - mostRows} smaller ones are not shown.</p>}
    </>
  )
}
