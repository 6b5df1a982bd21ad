import { restartLabels } from '@nsbox/core/containers'
import type { Labels } from '@nsbox/core/labels'
import type { Process } from '@nsbox/core/tasks'
import { NsboxError, shownName } from '@nsbox/errors'

/** Policies of restarts, as clients look for them among the capabilities of the plugin. */
export const restartPolicies = ['no', 'always', 'on-failure', 'unless-stopped'] as const

/** What is to be done with the task of a container. */
export type RestartOrder = 'start' | 'stop'

/**
 * What the labels of a container order for its task; undefined if it is to be left as it is. A task that is paused, or
 * is being started, is left alone (docs/behaviour.md §7).
 *
 * @throws `invalid_argument` for a policy or a count that cannot be read
 */
export function restartOrder(
  labels: Labels,
  task: Pick<Process, 'status' | 'exit'> | undefined,
): RestartOrder | undefined {
  const isOver = task === undefined || task.status === 'stopped'
  switch (labels[restartLabels.status]) {
    case 'running':
      if (!isOver && task.status !== 'created') return undefined
      return isWanted(labels, task?.exit?.exitStatus ?? 0) ? 'start' : undefined
    case 'stopped':
      return isOver ? undefined : 'stop'
    default:
      return undefined
  }
}

/** The number of the restart that comes next. */
export function nextRestart(labels: Labels): number {
  return (wholeNumber(labels[restartLabels.count]) ?? 0) + 1
}

function isWanted(labels: Labels, exitStatus: number): boolean {
  const policy = labels[restartLabels.policy] ?? ''
  const [name, most, ...rest] = policy.split(':')
  if (name === 'on-failure' && rest.length === 0) {
    const limit = most === undefined ? 0 : wholeNumber(most)
    if (limit === undefined) throw unreadable('policy', policy)
    return exitStatus !== 0 && (limit === 0 || restartsSoFar(labels) < limit)
  }
  if (most !== undefined) throw unreadable('policy', policy)
  switch (name) {
    case '':
    case 'always':
      return true
    case 'no':
      return false
    case 'unless-stopped':
      return !truths.has(labels[restartLabels.explicitlyStopped] ?? '')
    default:
      throw unreadable('policy', policy)
  }
}

function restartsSoFar(labels: Labels): number {
  const text = labels[restartLabels.count] ?? ''
  const count = text === '' ? 0 : wholeNumber(text)
  if (count === undefined) throw unreadable('count', text)
  return count
}

/** The spellings of true that containerd's clients may use (Go's strconv.ParseBool). */
const truths: ReadonlySet<string> = new Set(['1', 't', 'T', 'true', 'TRUE', 'True'])

function wholeNumber(text = ''): number | undefined {
  const number = /^[+-]?\d+$/.test(text) ? Number(text) : undefined
  return number !== undefined && Number.isSafeInteger(number) ? number : undefined
}

function unreadable(label: 'policy' | 'count', text: string): NsboxError {
  return new NsboxError('invalid_argument', `label ${restartLabels[label]} ${shownName(text)}`)
}
