import { anything, array, boolean, integer, integer32, map, object, type Shape, string } from './shape.ts'

const strings = array(string)

const idMappings = array(
  object({ containerID: integer32, hostID: integer32, size: integer32 }, ['containerID', 'hostID', 'size']),
)

const userShape = withDefaults(
  { uid: 0, gid: 0 },
  object({ uid: integer32, gid: integer32, umask: integer32, additionalGids: array(integer32) }),
)

/** A `process` of a spec, which a client also sends to run one more. */
export const processShape = withDefaults(
  { user: { uid: 0, gid: 0 } },
  object(
    {
      terminal: boolean,
      consoleSize: object({ height: integer32, width: integer32 }, ['height', 'width']),
      user: userShape,
      args: strings,
      env: strings,
      cwd: string,
      capabilities: object({
        bounding: strings,
        effective: strings,
        inheritable: strings,
        permitted: strings,
        ambient: strings,
      }),
      rlimits: array(object({ type: string, hard: integer, soft: integer }, ['type', 'hard', 'soft'])),
      noNewPrivileges: boolean,
      apparmorProfile: string,
      selinuxLabel: string,
      oomScoreAdj: integer32,
      ioPriority: object({ class: string, priority: integer32 }, ['class', 'priority']),
    },
    ['cwd'],
  ),
)

const throttles = array(
  object({ major: integer32, minor: integer32, rate: integer }, ['major', 'minor', 'rate']),
)

/** The `linux.resources` of a spec, which a client also sends to change the limits of a task. */
export const resourcesShape = object({
  devices: array(
    object({ allow: boolean, type: string, major: integer, minor: integer, access: string }, ['allow']),
  ),
  memory: object({
    limit: integer,
    reservation: integer,
    swap: integer,
    kernel: integer,
    kernelTCP: integer,
    swappiness: integer32,
    disableOOMKiller: boolean,
    useHierarchy: boolean,
    checkBeforeUpdate: boolean,
  }),
  cpu: object({
    shares: integer,
    quota: integer,
    burst: integer,
    period: integer,
    realtimeRuntime: integer,
    realtimePeriod: integer,
    cpus: string,
    mems: string,
    idle: integer,
  }),
  pids: object({ limit: integer }, ['limit']),
  blockIO: object({
    weight: integer32,
    leafWeight: integer32,
    weightDevice: array(
      object({ major: integer32, minor: integer32, weight: integer32, leafWeight: integer32 }),
    ),
    throttleReadBpsDevice: throttles,
    throttleWriteBpsDevice: throttles,
    throttleReadIOPSDevice: throttles,
    throttleWriteIOPSDevice: throttles,
  }),
  hugepageLimits: array(object({ pageSize: string, limit: integer }, ['pageSize', 'limit'])),
  network: map(anything),
  rdma: map(anything),
  unified: map(string),
})

/** What `--seccomp-profile` reads, and `linux.seccomp`. */
export const seccompShape = object(
  {
    defaultAction: string,
    defaultErrnoRet: integer32,
    architectures: strings,
    flags: strings,
    listenerPath: string,
    listenerMetadata: string,
    syscalls: array(
      object(
        {
          names: strings,
          action: string,
          errnoRet: integer32,
          args: array(
            object({ index: integer32, value: integer, valueTwo: integer, op: string }, [
              'index',
              'value',
              'op',
            ]),
          ),
        },
        ['names', 'action'],
      ),
    ),
  },
  ['defaultAction'],
)

const linuxShape = object({
  uidMappings: idMappings,
  gidMappings: idMappings,
  sysctl: map(string),
  resources: resourcesShape,
  cgroupsPath: string,
  namespaces: array(object({ type: string, path: string }, ['type'])),
  devices: array(
    object(
      {
        path: string,
        type: string,
        major: integer,
        minor: integer,
        fileMode: integer32,
        uid: integer32,
        gid: integer32,
      },
      ['path', 'type'],
    ),
  ),
  seccomp: seccompShape,
  rootfsPropagation: string,
  maskedPaths: strings,
  readonlyPaths: strings,
  mountLabel: string,
  intelRdt: object({
    closID: string,
    l3CacheSchema: string,
    memBwSchema: string,
    enableCMT: boolean,
    enableMBM: boolean,
  }),
})

const hooks = array(object({ path: string, args: strings, env: strings, timeout: integer32 }, ['path']))

export const specShape = object(
  {
    ociVersion: string,
    process: processShape,
    root: object({ path: string, readonly: boolean }, ['path']),
    hostname: string,
    domainname: string,
    mounts: array(
      object(
        {
          destination: string,
          type: string,
          source: string,
          options: strings,
          uidMappings: idMappings,
          gidMappings: idMappings,
        },
        ['destination'],
      ),
    ),
    hooks: object({
      prestart: hooks,
      createRuntime: hooks,
      createContainer: hooks,
      startContainer: hooks,
      poststart: hooks,
      poststop: hooks,
    }),
    annotations: map(string),
    linux: linuxShape,
    windows: map(anything),
  },
  ['ociVersion'],
)

/** Go's decoder reads what is absent as zero. */
function withDefaults(defaults: object, shape: Shape): Shape {
  return (value, field) => ({ ...defaults, ...(shape(value, field) as object) })
}
