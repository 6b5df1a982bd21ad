import { useSignal } from '@preact/signals'
import { useId } from 'preact/hooks'
import { refusal } from '../elements/action.tsx'
import { wholeReference } from './image-reference.ts'
import { startPull } from './own-pulls.ts'

/** Asks for the image to pull, and the namespace that is to have it. */
export function PullForm({ namespace }: { readonly namespace: string }) {
  const [nameId, spaceId, reasonId] = [useId(), useId(), useId()]
  const name = useSignal('')
  const space = useSignal(namespace)
  const plain = useSignal(false)
  const problem = useSignal<string | undefined>(undefined)
  const reason = refusal()
  const submit = () => {
    if (reason !== undefined) return
    const reference = wholeReference(name.value)
    problem.value = reference === undefined ? 'This is no name of an image.' : undefined
    if (reference === undefined) return
    startPull(space.value, reference, plain.value)
    name.value = ''
  }
  return (
    <form
      class="pull-form"
      aria-label="Pull an image"
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      <label for={nameId}>Image</label>
      <input
        id={nameId}
        value={name.value}
        required
        placeholder="docker.io/library/alpine:latest"
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => {
          name.value = event.currentTarget.value
        }}
      />
      <label for={spaceId}>into</label>
      <input
        id={spaceId}
        class="short"
        value={space.value}
        required
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => {
          space.value = event.currentTarget.value
        }}
      />
      <label class="check">
        <input
          type="checkbox"
          checked={plain.value}
          onChange={(event) => {
            plain.value = event.currentTarget.checked
          }}
        />
        plain http
      </label>
      <button
        type="submit"
        class="primary"
        aria-disabled={reason !== undefined}
        aria-describedby={reason === undefined ? undefined : reasonId}
        title={reason}
      >
        Pull
      </button>
      {reason !== undefined && (
        <span id={reasonId} class="spoken">
          {reason}
        </span>
      )}
      {problem.value && (
        <p class="failure" role="alert">
          {problem.value}
        </p>
      )}
    </form>
  )
}
