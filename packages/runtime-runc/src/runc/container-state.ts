import { NsboxError } from '@nsbox/errors'
import type { JsonObject } from '@nsbox/oci'
import { parseObject, parseOutput } from './output.ts'

/** The states of the runtime specification, and `paused`. */
export type ContainerStatus = 'creating' | 'created' | 'running' | 'stopped' | 'paused'

const statuses: readonly string[] = [
  'creating',
  'created',
  'running',
  'stopped',
  'paused',
] satisfies ContainerStatus[]

/** A container, as the runtime describes it. */
export interface ContainerState {
  readonly id: string
  /** Pid of the first process on the host; 0 once it has ended. */
  readonly pid: number
  readonly status: ContainerStatus
  readonly bundle: string
}

/** An entry of a list. */
export type ListedContainer = ContainerState

/** What `state` prints. @throws unknown */
export function parseState(text: string): ContainerState {
  return containerState('state', parseObject('state', parseOutput('state', text)))
}

/** What `list` prints; `null` for none. @throws unknown */
export function parseContainers(text: string): ListedContainer[] {
  const value = parseOutput('list', text) ?? []
  if (!Array.isArray(value)) throw new NsboxError('unknown', 'OCI runtime list printed JSON of another kind')
  return value.map((entry) => containerState('list', parseObject('list', entry)))
}

function containerState(command: string, state: JsonObject): ContainerState {
  // Some runtimes print no pid for a container that has ended.
  const { id, pid = 0, status, bundle } = state
  if (typeof id !== 'string' || !isPid(pid) || typeof bundle !== 'string' || !isStatus(status))
    throw new NsboxError('unknown', `OCI runtime ${command} printed a container without id, status or bundle`)
  return { id, pid, status, bundle }
}

/** kill(2) takes other numbers for groups of processes. */
const isPid = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 31

const isStatus = (value: unknown): value is ContainerStatus =>
  typeof value === 'string' && statuses.includes(value)
