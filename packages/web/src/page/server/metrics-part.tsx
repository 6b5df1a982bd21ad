import { Plot } from '../elements/plot.tsx'
import { Waiting } from '../elements/states.tsx'
import { Text } from '../elements/text.tsx'
import { bytesText, durationText, percentText } from '../format/quantities.ts'
import type { MetricsSummary } from './metrics-summary.ts'
import { useMetrics } from './use-metrics.ts'

/** What the server's metrics tell. */
export function MetricsPart() {
  const metrics = useMetrics().value
  if (metrics === undefined) return <Waiting />
  if (metrics === 'none') return <p class="nothing">This server has no metrics.</p>
  const last = metrics.at(-1)
  if (last === undefined) return null
  const { memory, loopDelay, methods, collector } = last
  const [rates, shares] = [callRates(metrics), busyShares(metrics)]
  return (
    <>
      <div class="cards">
        <Card
          title="Memory"
          figure={memory === undefined ? '' : bytesText(memory)}
          points={metrics.map(({ at, memory = 0 }) => [at, memory])}
        />
        <Card title="Event loop busy" figure={lastText(shares, percentText)} points={shares} />
        <Card title="Calls per second" figure={lastText(rates, (rate) => rate.toFixed(1))} points={rates} />
      </div>
      <dl class="facts">
        <div>
          <dt>Event loop delay, 99 of 100 below</dt>
          <dd>{loopDelay === undefined ? 'not measured yet' : durationText(loopDelay)}</dd>
        </div>
        <div>
          <dt>Collections</dt>
          <dd>{`${collector.runs}, of which ${collector.failures} failed`}</dd>
        </div>
        <div>
          <dt>A collection takes</dt>
          <dd>{collector.mean === undefined ? 'not known yet' : durationText(collector.mean)}</dd>
        </div>
        <div>
          <dt>Collected</dt>
          <dd>{`${collector.objects} objects, ${bytesText(collector.bytes)}`}</dd>
        </div>
      </dl>
      <h2>Calls</h2>
      {methods.length === 0 ? (
        <p class="nothing">No calls are counted.</p>
      ) : (
        <table>
          <caption class="spoken">Calls by method since the server started</caption>
          <thead>
            <tr>
              <th scope="col">Method</th>
              <th scope="col" class="number">
                Calls
              </th>
              <th scope="col" class="number">
                Mean duration
              </th>
            </tr>
          </thead>
          <tbody>
            {methods.map(({ method, calls, mean }) => (
              <tr key={method}>
                <th scope="row" data-label="Method">
                  <Text of={method} length={80} />
                </th>
                <td data-label="Calls" class="number">
                  {calls}
                </td>
                <td data-label="Mean duration" class="number">
                  {mean === undefined ? '' : durationText(mean)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  )
}

interface CardProps {
  readonly title: string
  readonly figure: string
  readonly points: readonly (readonly [number, number])[]
}

function Card({ title, figure, points }: CardProps) {
  return (
    <div class="card">
      <h2 class="card-title">{title}</h2>
      <p class="figure">{figure || '…'}</p>
      <Plot points={points} width={220} height={44} label={`${title}, over time`} />
    </div>
  )
}

type Points = readonly (readonly [at: number, value: number])[]

function lastText(points: Points, text: (value: number) => string): string {
  const last = points.at(-1)
  return last === undefined ? '' : text(last[1])
}

/** Calls per second between each reading and the one before. */
function callRates(metrics: readonly MetricsSummary[]): Points {
  return metrics.slice(1).map(({ at, calls }, index) => {
    const before = metrics[index]!
    return [at, (calls - before.calls) / Math.max(at - before.at, 0.001)]
  })
}

/** The part of the time that the event loop was busy between each reading and the one before. */
function busyShares(metrics: readonly MetricsSummary[]): Points {
  return metrics.slice(1).map(({ at, busy, idle }, index) => {
    const before = metrics[index]!
    const passed = busy - before.busy + idle - before.idle
    return [at, passed > 0 ? (busy - before.busy) / passed : 0]
  })
}
