import { type Signal, signal } from '@preact/signals'

interface Announcement {
  readonly key: number
  readonly text: string
  readonly kind: 'done' | 'error'
}

/** Most shown at a time; the oldest leaves. */
const most = 4

/** How long, in milliseconds, what was done is told of. Failures stay until they are closed. */
const shownFor = 6_000

const announcements: Signal<readonly Announcement[]> = signal([])
let count = 0

/** Tells what was done, or failed, to who looks and to who listens. */
export function say(text: string, kind: Announcement['kind'] = 'done'): void {
  const key = count++
  announcements.value = [...announcements.value, { key, text, kind }].slice(-most)
  if (kind === 'done') setTimeout(() => forget(key), shownFor)
}

function forget(key: number): void {
  announcements.value = announcements.value.filter((one) => one.key !== key)
}

export function Announcements() {
  return (
    <div class="announcements" role="log" aria-live="polite" aria-label="Messages">
      {announcements.value.map(({ key, text, kind }) => (
        <div key={key} class={`announcement ${kind}`}>
          <span>{text}</span>
          <button type="button" class="plain" aria-label="Close the message" onClick={() => forget(key)}>
            ×
          </button>
        </div>
      ))}
    </div>
  )
}
