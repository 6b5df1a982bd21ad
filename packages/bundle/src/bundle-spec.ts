import { normalize } from 'node:path/posix'
import { runYielding } from '@nsbox/concurrency'
import type { OpaqueValue } from '@nsbox/core/tasks'
import { NsboxError } from '@nsbox/errors'
import { type JsonObject, maxDocumentSize, strictJsonSteps } from '@nsbox/oci'
import { type SpecPaths, specPaths } from './spec-paths.ts'

/** The parts of a spec that the server needs; the runtime checks the rest. */
export interface BundleSpec {
  /** The original bytes, for `config.json`. */
  readonly json: Uint8Array
  /** Whether the first process has a terminal. */
  readonly terminal: boolean
  /**
   * Types of namespaces that are the container's own; with its own pid namespace, all processes end with the first one.
   */
  readonly ownNamespaces: readonly string[]
  /** The host name in the container's own UTS namespace; undefined without a name or such a namespace. */
  readonly hostname: string | undefined
  /** The path of its cgroup in every hierarchy; undefined where the runtime or systemd chooses it. */
  readonly cgroup: string | undefined
  /** Host id of the container's group 0; undefined without a user namespace. */
  readonly rootGid: number | undefined
  /** Paths of the host that the container can reach. */
  readonly paths: SpecPaths
}

const specType =
  /^(?:type\.googleapis\.com\/)?types\.containerd\.io\/opencontainers\/runtime-spec\/1[\d.]*\/Spec$/

/** Earlier results: one task reads its spec in several places. */
const read = new WeakMap<Uint8Array, Promise<BundleSpec>>()

/**
 * Reads the spec of a container, yielding to the event loop. It must be one JSON object that all readers understand
 * alike; the runtime checks the rest.
 *
 * @throws invalid_argument, also for one of more than 4 MiB
 */
export async function readBundleSpec(spec: OpaqueValue): Promise<BundleSpec> {
  checkType(spec)
  let reading = read.get(spec.value)
  if (reading === undefined) {
    reading = parseBundleSpec(spec.value)
    read.set(spec.value, reading)
  }
  return await reading
}

function checkType(spec: OpaqueValue): void {
  if (!specType.test(spec.typeUrl))
    throw new NsboxError(
      'invalid_argument',
      `spec of type ${JSON.stringify(spec.typeUrl)}, not of an OCI runtime`,
    )
}

async function parseBundleSpec(json: Uint8Array): Promise<BundleSpec> {
  const object = await readSpecObject(json, 'spec')
  const linux = member(object, 'linux')
  const namespaces = Array.isArray(linux.namespaces) ? linux.namespaces : []
  const ownNamespaces = namespaces.flatMap((entry) =>
    isObject(entry) && typeof entry.type === 'string' && !entry.path ? [entry.type] : [],
  )
  const { hostname } = object
  const { cgroupsPath } = linux
  return {
    json,
    terminal: member(object, 'process').terminal === true,
    ownNamespaces,
    hostname:
      ownNamespaces.includes('uts') && typeof hostname === 'string' && hostname !== '' ? hostname : undefined,
    cgroup:
      typeof cgroupsPath === 'string' && cgroupsPath.startsWith('/') ? normalize(cgroupsPath) : undefined,
    rootGid: mappedRoot(linux.gidMappings),
    paths: specPaths(object),
  }
}

/** Reads a JSON object of a client, such as the process of an exec. @throws invalid_argument, also beyond 4 MiB */
export async function readSpecObject(bytes: Uint8Array, context: string): Promise<JsonObject> {
  if (bytes.byteLength > maxDocumentSize)
    throw new NsboxError('invalid_argument', `${context}: more than ${maxDocumentSize} bytes`)
  const value: unknown = await runYielding(strictJsonSteps(bytes, context))
  if (isObject(value)) return value
  throw new NsboxError('invalid_argument', `${context}: not a JSON object`)
}

function member(object: JsonObject, name: string): JsonObject {
  const value = object[name]
  if (value === undefined || value === null) return {}
  if (isObject(value)) return value
  throw new NsboxError('invalid_argument', `spec: ${name} is not an object`)
}

function mappedRoot(mappings: unknown): number | undefined {
  if (!Array.isArray(mappings)) return undefined
  for (const mapping of mappings as unknown[]) {
    if (!isObject(mapping)) continue
    const { containerID, hostID } = mapping
    if (containerID === 0 && typeof hostID === 'number' && isId(hostID)) return hostID
  }
  return undefined
}

const isId = (id: number) => Number.isInteger(id) && id >= 0 && id < 2 ** 32 - 1

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
