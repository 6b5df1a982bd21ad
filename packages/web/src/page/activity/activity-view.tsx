import { useSignal } from '@preact/signals'
import { chosenNamespace } from '../connection/namespace-choice.ts'
import { Text } from '../elements/text.tsx'
import { ingests } from '../images/ingests.ts'
import { PullsList } from '../images/pulls-list.tsx'
import { IngestsList } from './ingests-list.tsx'
import { recentEvents } from './recent-events.ts'

/** Most rows shown at a time; a filter finds the others. */
const mostRows = 200

/** What happens now, and what has happened since the page was opened. */
export function ActivityView() {
  const filter = useSignal('')
  const isPaused = useSignal(false)
  const held = useSignal(recentEvents.peek())
  const chosen = chosenNamespace.value
  const wanted = filter.value.trim().toLowerCase()
  const all = isPaused.value ? held.value : recentEvents.value
  const matching = all.filter(
    ({ namespace, topic, text }) =>
      (chosen === undefined || namespace === chosen) &&
      (wanted === '' || [namespace, topic, text].some((part) => part.toLowerCase().includes(wanted))),
  )
  const written = ingests.value.filter(({ namespace }) => chosen === undefined || namespace === chosen)
  return (
    <section aria-labelledby="view-title">
      <header class="view-header">
        <h1 id="view-title" tabIndex={-1}>
          Activity
        </h1>
        <p class="summary">{`${matching.length} ${matching.length === 1 ? 'event' : 'events'}`}</p>
        <button
          type="button"
          aria-pressed={isPaused.value}
          onClick={() => {
            held.value = recentEvents.value
            isPaused.value = !isPaused.value
          }}
        >
          Hold
        </button>
        <input
          type="search"
          aria-label="Filter events"
          placeholder="Filter"
          value={filter.value}
          onInput={(event) => {
            filter.value = event.currentTarget.value
          }}
        />
      </header>
      <h2>Under way</h2>
      <PullsList />
      <IngestsList ingests={written} />
      <h2>Events</h2>
      {matching.length === 0 ? (
        <p class="nothing">
          {wanted === '' ? 'Nothing has happened since the page was opened.' : 'No event matches.'}
        </p>
      ) : (
        <table class="events">
          <caption class="spoken">Events, the newest first</caption>
          <thead>
            <tr>
              <th scope="col">Time</th>
              <th scope="col">Namespace</th>
              <th scope="col">Topic</th>
              <th scope="col">About</th>
            </tr>
          </thead>
          <tbody>
            {matching.slice(0, mostRows).map(({ key, at, namespace, topic, text }) => (
              <tr key={key}>
                <td data-label="Time" class="time">
                  {timeText(at)}
                </td>
                <td data-label="Namespace">
                  <Text of={namespace} length={24} />
                </td>
                <td data-label="Topic">
                  <Text of={topic} class="topic" />
                </td>
                <td data-label="About">
                  <Text of={text} length={200} class="about" />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}

const times = new Intl.DateTimeFormat('en-GB', {
  ...{ hour: '2-digit', minute: '2-digit', second: '2-digit' },
  fractionalSecondDigits: 3,
})

function timeText(at: number): string {
  return times.format(at)
}
