import { useSignal } from '@preact/signals'
import { images, within } from '../connection/calls.ts'
import { Action } from '../elements/action.tsx'
import { Age } from '../elements/age.tsx'
import { ConfirmDialog } from '../elements/confirm-dialog.tsx'
import { Dialog } from '../elements/dialog.tsx'
import { Text } from '../elements/text.tsx'
import { bytesText } from '../format/quantities.ts'
import { shortened } from '../format/shortened.ts'
import type { ListedImage } from './load-images.ts'
import { type Layered, type Sharing, sharers } from './sharing.ts'

interface RowProps {
  readonly image: ListedImage
  readonly sharing: Sharing
  /** Bytes of the largest image, whose bar has the whole width. */
  readonly largest: number
  readonly withNamespace: boolean
}

/** An image, its layers as parts of a bar; those that other images have as well are pale. */
export function ImageRow({ image, sharing, largest, withNamespace }: RowProps) {
  const { namespace, name, digest, layers, platform, createdAt } = image
  const shown = useSignal<'layers' | 'remove' | undefined>(undefined)
  const close = () => {
    shown.value = undefined
  }
  const size = layers.reduce((sum, layer) => sum + layer.size, 0)
  const isShared = (layer: string) => sharers(sharing, layer, image).length > 0
  const shared = layers.reduce((sum, layer) => sum + (isShared(layer.digest) ? layer.size : 0), 0)
  const short = shortened(name)
  return (
    <tr>
      <th scope="row" class="name" data-label="Image">
        <Text of={name} length={72} />
        {withNamespace && <Text of={namespace} length={24} class="aside" />}
        {platform !== undefined && <Text of={platform} length={24} class="aside" />}
      </th>
      <td data-label="Layers" class="layers">
        <div
          class="layer-bar"
          role="img"
          aria-label={`${layers.length} layers, ${bytesText(size)}, of which ${bytesText(shared)} are shared`}
          style={{ width: `${Math.max(4, (100 * size) / largest)}%` }}
        >
          {layers.map((layer, index) => (
            <span
              // An image may have a layer twice.
              key={index}
              class={isShared(layer.digest) ? 'layer shared' : 'layer'}
              style={{ flexGrow: Math.max(layer.size, size / 200, 1) }}
            />
          ))}
        </div>
      </td>
      <td data-label="Size" class="number">
        {layers.length === 0 ? '' : bytesText(size)}
      </td>
      <td data-label="Shared" class="number">
        {layers.length === 0 ? '' : bytesText(shared)}
      </td>
      <td data-label="Age" class="number">
        {createdAt !== undefined && <Age since={createdAt} />}
      </td>
      <td class="actions">
        <fieldset aria-label={`Actions for ${short}`}>
          <Action
            label={`Layers of ${short}`}
            run={() => {
              shown.value = 'layers'
            }}
            unless={layers.length === 0 ? 'Its manifest is not here.' : undefined}
            reads
          >
            Layers
          </Action>
          <Action
            label={`Remove ${short}`}
            run={() => {
              shown.value = 'remove'
            }}
            danger
          >
            Remove
          </Action>
        </fieldset>
        {shown.value === 'layers' && <LayersDialog image={image} sharing={sharing} onClose={close} />}
        {shown.value === 'remove' && (
          <ConfirmDialog
            title="Remove the image?"
            verb="Remove"
            run={async () => {
              await images.delete({ name, sync: true }, within(namespace))
            }}
            done={`Removed ${short}.`}
            onClose={close}
          >
            <p>
              <Text of={name} length={200} class="strong" /> of the namespace <Text of={namespace} />
            </p>
            <p>
              {`${bytesText(size - shared)} of compressed layers are its own; containers that were made of it stay.`}
            </p>
            <p class="digest">{shortened(digest, 100)}</p>
          </ConfirmDialog>
        )}
      </td>
    </tr>
  )
}

interface LayersDialogProps {
  readonly image: ListedImage
  readonly sharing: Sharing
  readonly onClose: () => void
}

function LayersDialog({ image, sharing, onClose }: LayersDialogProps) {
  return (
    <Dialog title={`Layers of ${shortened(image.name, 60)}`} onClose={onClose} wide>
      <table>
        <thead>
          <tr>
            <th scope="col">Layer</th>
            <th scope="col" class="number">
              Size
            </th>
            <th scope="col">Shared with</th>
          </tr>
        </thead>
        <tbody>
          {image.layers.map(({ digest, size }, index) => (
            // An image may have a layer twice.
            <tr key={index}>
              <th scope="row" class="digest" title={shortened(digest)}>
                {shortened(digest.slice(digest.indexOf(':') + 1), 12)}
              </th>
              <td class="number">{bytesText(size)}</td>
              <td>
                <Sharers of={sharers(sharing, digest, image)} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Dialog>
  )
}

/** Most images that are named. */
const mostNamed = 8

function Sharers({ of }: { readonly of: readonly Layered[] }) {
  if (of.length === 0) return <span class="aside">nothing</span>
  return (
    <ul class="names">
      {of.slice(0, mostNamed).map(({ namespace, name }) => (
        <li key={`${namespace}\0${name}`}>
          <Text of={name} /> <Text of={namespace} length={24} class="aside" />
        </li>
      ))}
      {of.length > mostNamed && <li>{`and ${of.length - mostNamed} more`}</li>}
    </ul>
  )
}
