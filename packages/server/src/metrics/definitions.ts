import type { MethodCounts } from '../counts/call-counts.ts'
import { codeName } from '../counts/outcome-code.ts'
import type { PlainHistogram } from '../counts/plain-histogram.ts'
import type { Scrape } from './scrape.ts'
import type { ContainerSample } from './task-samples.ts'

type Labels = Readonly<Record<string, string>>

interface Common {
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
}

/** A metric: its name, and how its series are read at a scrape. */
export type Definition =
  | (Common & {
      readonly type: 'counter' | 'gauge'
      readonly read: (scrape: Scrape) => Iterable<readonly [Labels, number]>
    })
  | (Common & {
      readonly type: 'histogram'
      readonly read: (scrape: Scrape) => Iterable<readonly [Labels, PlainHistogram]>
    })

/** One series without labels; none for a number that is not known. */
const single = (value: number | undefined): [Labels, number][] => (value === undefined ? [] : [[{}, value]])

/** All metrics, in the order in which they are shown (docs/metrics.md). */
export const definitions: readonly Definition[] = [
  {
    name: 'nsbox_build_info',
    type: 'gauge',
    help: 'Always 1; its labels tell the version and revision of the server and the version of Node.js.',
    labels: ['version', 'revision', 'node_version'],
    read: ({ build: { version, revision } }) => [[{ version, revision, node_version: process.version }, 1]],
  },
  {
    name: 'nsbox_calls_total',
    type: 'counter',
    help: 'Calls that have ended, by their status.',
    labels: ['service', 'method', 'code'],
    read: ({ counts }) =>
      methods(counts.calls.methods, ({ ended }, labels) =>
        [...ended].map(([code, count]) => [{ ...labels, code: codeName(code) }, count] as const),
      ),
  },
  {
    name: 'nsbox_call_duration_seconds',
    type: 'histogram',
    help: 'Time from the whole request of a call to its end.',
    labels: ['service', 'method'],
    read: ({ counts }) =>
      methods(counts.calls.methods, ({ seconds }, labels) => [[labels, seconds] as const]),
  },
  {
    name: 'nsbox_calls_in_flight',
    type: 'gauge',
    help: 'Calls under way.',
    labels: ['service', 'method'],
    read: ({ counts }) =>
      methods(counts.calls.methods, ({ inFlight }, labels) => [[labels, inFlight] as const]),
  },
  {
    name: 'nsbox_pulls_total',
    type: 'counter',
    help: 'Pulls by the server that have ended, by registry and status.',
    labels: ['registry', 'code'],
    read: ({ counts }) =>
      [...counts.pulls].flatMap(([registry, ended]) =>
        [...ended].map(([code, count]) => [{ registry, code: codeName(code) }, count] as const),
      ),
  },
  {
    name: 'nsbox_pull_duration_seconds',
    type: 'histogram',
    help: 'Time of pulls by the server, unpacking included.',
    read: ({ counts }) => [[{}, counts.pullSeconds]],
  },
  {
    name: 'nsbox_pulls_in_flight',
    type: 'gauge',
    help: 'Pulls by the server under way.',
    read: ({ counts }) => single(counts.pullsInFlight),
  },
  {
    name: 'nsbox_fetched_bytes_total',
    type: 'counter',
    help: 'Bytes of blobs and manifests received from registries, those received again included.',
    read: ({ counts }) => single(counts.fetchedBytes),
  },
  {
    name: 'nsbox_unpack_stage_duration_seconds',
    type: 'histogram',
    help: 'Time of the stages of unpacking a layer; apply includes waiting for what is still arriving.',
    labels: ['stage'],
    read: ({ counts }) =>
      Object.entries(counts.unpackSeconds).map(([stage, seconds]) => [{ stage }, seconds]),
  },
  {
    name: 'nsbox_collection_duration_seconds',
    type: 'histogram',
    help: 'Time of garbage collections.',
    read: ({ counts }) => [[{}, counts.collectionSeconds]],
  },
  {
    name: 'nsbox_collection_failures_total',
    type: 'counter',
    help: 'Garbage collections that have failed.',
    read: ({ counts }) => single(counts.failedCollections),
  },
  {
    name: 'nsbox_collection_pause_seconds_total',
    type: 'counter',
    help: 'Time for which garbage collections have held the event loop.',
    read: ({ counts }) => single(counts.collectionPause),
  },
  {
    name: 'nsbox_collected_objects_total',
    type: 'counter',
    help: 'What garbage collections have removed: of namespaces, and blobs and trees of snapshots from the disk.',
    labels: ['kind'],
    read: ({ counts }) => Object.entries(counts.collected).map(([kind, count]) => [{ kind }, count]),
  },
  {
    name: 'nsbox_collected_bytes_total',
    type: 'counter',
    help: 'Bytes of the blobs that garbage collections have removed from the disk.',
    read: ({ counts }) => single(counts.collectedBytes),
  },
  {
    name: 'nsbox_event_loop_delay_seconds',
    type: 'histogram',
    help: 'How late the event loop was, looked at every 50 ms while there are calls.',
    read: ({ counts }) => [[{}, counts.loopDelay]],
  },
  {
    name: 'nsbox_event_loop_active_seconds_total',
    type: 'counter',
    help: 'Time for which the event loop was busy.',
    read: ({ loop }) => single(loop.active / 1000),
  },
  {
    name: 'nsbox_event_loop_idle_seconds_total',
    type: 'counter',
    help: 'Time for which the event loop was waiting.',
    read: ({ loop }) => single(loop.idle / 1000),
  },
  {
    name: 'nsbox_supervisors',
    type: 'gauge',
    help: 'Supervisors that hold processes of containers or take new ones.',
    read: ({ supervision }) => single(supervision?.supervisors),
  },
  {
    name: 'nsbox_supervised_processes',
    type: 'gauge',
    help: 'Processes that the supervisors hold, ended ones included until their tasks are deleted.',
    read: ({ supervision }) => single(supervision?.processes),
  },
  {
    name: 'nsbox_supervisor_restarts_total',
    type: 'counter',
    help: 'Supervisors that were lost and replaced.',
    read: ({ supervision }) => single(supervision?.lost),
  },
  {
    name: 'nsbox_tasks',
    type: 'gauge',
    help: 'Tasks by namespace and state.',
    labels: ['namespace', 'state'],
    *read({ samples }) {
      for (const [namespace, states] of samples.tasks)
        for (const [state, count] of states) yield [{ namespace, state }, count]
    },
  },
  {
    name: 'nsbox_container_cpu_usage_seconds_total',
    type: 'counter',
    help: 'Processor time of a container that runs.',
    labels: ['namespace', 'container'],
    read: ({ samples }) => containers(samples.containers, 'cpuSeconds'),
  },
  {
    name: 'nsbox_container_memory_usage_bytes',
    type: 'gauge',
    help: 'Memory of a container that runs.',
    labels: ['namespace', 'container'],
    read: ({ samples }) => containers(samples.containers, 'memoryBytes'),
  },
  {
    name: 'nsbox_container_memory_working_set_bytes',
    type: 'gauge',
    help: 'Memory of a container that runs, without files that were not used lately.',
    labels: ['namespace', 'container'],
    read: ({ samples }) => containers(samples.containers, 'workingSetBytes'),
  },
  {
    name: 'nsbox_container_processes',
    type: 'gauge',
    help: 'Processes and threads of a container that runs.',
    labels: ['namespace', 'container'],
    read: ({ samples }) => containers(samples.containers, 'pids'),
  },
  {
    name: 'nsbox_containers_not_measured',
    type: 'gauge',
    help: 'Containers that run and have no series above, since there are too many or reading took too long.',
    read: ({ samples }) => single(samples.unmeasured),
  },
  {
    name: 'process_cpu_user_seconds_total',
    type: 'counter',
    help: 'Processor time of the server in user mode.',
    read: ({ process }) => single(process.cpuUser),
  },
  {
    name: 'process_cpu_system_seconds_total',
    type: 'counter',
    help: 'Processor time of the server in the kernel.',
    read: ({ process }) => single(process.cpuSystem),
  },
  {
    name: 'process_cpu_seconds_total',
    type: 'counter',
    help: 'Processor time of the server.',
    read: ({ process }) => single(process.cpuUser + process.cpuSystem),
  },
  {
    name: 'process_start_time_seconds',
    type: 'gauge',
    help: 'When the server was started, in seconds since 1970.',
    read: ({ process }) => single(process.started),
  },
  {
    name: 'process_resident_memory_bytes',
    type: 'gauge',
    help: 'Resident memory of the server.',
    read: ({ process }) => single(process.memory.rss),
  },
  {
    name: 'process_open_fds',
    type: 'gauge',
    help: 'Open descriptors of the server.',
    read: ({ process }) => single(process.openDescriptors),
  },
  {
    name: 'process_max_fds',
    type: 'gauge',
    help: 'The most descriptors that the server may have open.',
    read: ({ process }) => single(process.maxDescriptors),
  },
  {
    name: 'nodejs_heap_size_total_bytes',
    type: 'gauge',
    help: 'Size of the heap of JavaScript.',
    read: ({ process }) => single(process.memory.heapTotal),
  },
  {
    name: 'nodejs_heap_size_used_bytes',
    type: 'gauge',
    help: 'Used part of the heap of JavaScript.',
    read: ({ process }) => single(process.memory.heapUsed),
  },
  {
    name: 'nodejs_external_memory_bytes',
    type: 'gauge',
    help: 'Memory that belongs to objects of JavaScript, but is not in its heap.',
    read: ({ process }) => single(process.memory.external),
  },
]

function* methods<T>(
  all: ReadonlyMap<{ readonly name: string; readonly parent: { readonly typeName: string } }, MethodCounts>,
  rows: (counts: MethodCounts, labels: Labels) => Iterable<readonly [Labels, T]>,
): Generator<readonly [Labels, T]> {
  for (const [{ name: method, parent }, counts] of all)
    yield* rows(counts, { service: parent.typeName, method })
}

function* containers(
  samples: readonly ContainerSample[],
  field: 'cpuSeconds' | 'memoryBytes' | 'workingSetBytes' | 'pids',
): Generator<readonly [Labels, number]> {
  for (const { namespace, container, [field]: value } of samples)
    if (value !== undefined) yield [{ namespace, container }, value]
}
