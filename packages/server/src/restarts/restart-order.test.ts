import { restartLabels } from '@nsbox/core/containers'
import { errorCode } from '@nsbox/errors'
import { Timestamp } from '@nsbox/time'
import { expect, test } from 'vitest'
import { nextRestart, restartOrder } from './restart-order.ts'

type Task = Parameters<typeof restartOrder>[1]

const ended = (exitStatus: number): Task => ({
  status: 'stopped',
  exit: { exitStatus, exitedAt: Timestamp.fromEpochMicroseconds(0) },
})

function labels(given: Partial<Record<keyof typeof restartLabels, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries({ status: 'running', ...given }).map(([name, value]) => [
      restartLabels[name as keyof typeof restartLabels],
      value,
    ]),
  )
}

test.each([
  [{}, ended(0), 'start'],
  [{}, undefined, 'start'],
  [{}, { status: 'created' }, 'start'],
  [{}, { status: 'running' }, undefined],
  [{}, { status: 'paused' }, undefined],
  [{}, { status: 'unknown' }, undefined],
  [{ policy: 'always' }, ended(0), 'start'],
  [{ policy: 'no' }, ended(1), undefined],
  [{ policy: 'on-failure' }, ended(1), 'start'],
  [{ policy: 'on-failure' }, ended(0), undefined],
  [{ policy: 'on-failure' }, undefined, undefined],
  [{ policy: 'on-failure:0', count: '9' }, ended(1), 'start'],
  [{ policy: 'on-failure:2', count: '1' }, ended(1), 'start'],
  [{ policy: 'on-failure:2', count: '2' }, ended(1), undefined],
  [{ policy: 'unless-stopped' }, ended(0), 'start'],
  [{ policy: 'unless-stopped', explicitlyStopped: 'false' }, ended(0), 'start'],
  [{ policy: 'unless-stopped', explicitlyStopped: 'true' }, ended(0), undefined],
  [{ policy: 'unless-stopped', explicitlyStopped: 'true' }, undefined, undefined],
  [{ policy: 'always', explicitlyStopped: 'true' }, ended(0), 'start'],
  [{ status: 'stopped' }, { status: 'running' }, 'stop'],
  [{ status: 'stopped' }, { status: 'paused' }, 'stop'],
  [{ status: 'stopped' }, ended(0), undefined],
  [{ status: 'stopped' }, undefined, undefined],
  [{ status: 'paused' }, { status: 'running' }, undefined],
  [{ status: '' }, undefined, undefined],
] satisfies [Parameters<typeof labels>[0], Task, string | undefined][])(
  '%j order for the task %j: %s',
  (given, task, order) => expect(restartOrder(labels(given), task)).toBe(order),
)

test.each([
  { policy: 'sometimes' },
  { policy: 'always:3' },
  { policy: 'on-failure:many' },
  { policy: 'on-failure:1:2' },
  { policy: 'on-failure:1', count: 'x' },
])('%j are refused', (given) => {
  let failure: unknown
  try {
    restartOrder(labels(given), ended(1))
  } catch (error) {
    failure = error
  }
  expect(errorCode(failure)).toBe('invalid_argument')
})

test('restarts are counted from one on, whatever stood there', () => {
  expect(
    [undefined, '', '4', 'x'].map((count) => nextRestart(count === undefined ? {} : labels({ count }))),
  ).toEqual([1, 1, 5, 1])
})
