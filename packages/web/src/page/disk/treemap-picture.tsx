import { bytesText } from '../format/quantities.ts'
import { shortened } from '../format/shortened.ts'
import type { Holder, NamespaceTree } from './disk-tree.ts'
import { holderName } from './holder-name.ts'
import { type Rectangle, treemap } from './treemap.ts'

/** Most holders of a namespace that have a rectangle of their own. */
const most = 60

/** Least part of the picture that has room for words. */
const roomForWords = 0.012

/** A picture of who holds what. The table below it has the same in words, so a screen reader need not look at it. */
export function TreemapPicture({ tree }: { readonly tree: readonly NamespaceTree[] }) {
  const whole = { x: 0, y: 0, width: 2, height: 1 }
  const places = treemap(
    tree.map(({ size }) => size),
    whole,
  )
  if (tree.every(({ size }) => size === 0)) return <p class="nothing">Nothing is stored yet.</p>
  return (
    <div
      class="treemap"
      role="img"
      aria-label="Who holds what on the disk; the tables below have it in words"
    >
      {tree.map((namespace, index) => (
        <NamespacePart key={namespace.name} namespace={namespace} place={places[index]!} />
      ))}
    </div>
  )
}

function NamespacePart({
  namespace,
  place,
}: {
  readonly namespace: NamespaceTree
  readonly place: Rectangle
}) {
  const holders = withRest(namespace.holders)
  const within = { ...place, x: 0, y: 0 }
  const places = treemap(
    holders.map(({ size }) => size),
    within,
  )
  if (place.width === 0 || place.height === 0) return null
  return (
    <div class="treemap-namespace" style={boxStyle(place, { x: 0, y: 0, width: 2, height: 1 })}>
      <span class="treemap-title">{`${shortened(namespace.name, 32)} ${bytesText(namespace.size)}`}</span>
      <div class="treemap-holders">
        {holders.map(({ kind, name, size }, index) => {
          const box = places[index]!
          const text = holderName({ kind, name })
          return (
            <div
              key={`${kind}\0${name}`}
              class={`holder ${kind}`}
              style={boxStyle(box, within)}
              title={`${text}: ${bytesText(size)}`}
            >
              {box.width * box.height > roomForWords && (
                <>
                  <span class="holder-name">{text}</span>
                  <span class="holder-size">{bytesText(size)}</span>
                </>
              )}
            </div>
          )
        })}
      </div>
    </div>
  )
}

function withRest(holders: readonly Holder[]): readonly Holder[] {
  if (holders.length <= most) return holders
  const rest = holders.slice(most - 1)
  const sum = (field: 'content' | 'snapshots' | 'size') =>
    rest.reduce((total, holder) => total + holder[field], 0)
  const last: Holder = {
    ...{ kind: 'other', name: '', content: sum('content'), snapshots: sum('snapshots'), size: sum('size') },
  }
  return [...holders.slice(0, most - 1), last]
}

function boxStyle({ x, y, width, height }: Rectangle, within: Rectangle) {
  const percent = (part: number, of: number) => `${(100 * part) / of}%`
  return {
    left: percent(x, within.width),
    top: percent(y, within.height),
    width: percent(width, within.width),
    height: percent(height, within.height),
  }
}
