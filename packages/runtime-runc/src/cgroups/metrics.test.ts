import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packAny, unpackAny } from '@nsbox/api'
import { MetricsSchema as V1Schema } from '@nsbox/api/gen/cgroups/v1/metrics_pb'
import { MetricsSchema as V2Schema } from '@nsbox/api/gen/cgroups/v2/metrics_pb'
import { type TempDir, tempDir } from '@nsbox/testing'
import { describe, expect, test } from 'vitest'
import { parseKeyed, parseNumber } from './cgroup-files.ts'
import { parseRdma } from './rdma.ts'
import { parseBlkio } from './v1/blkio.ts'
import { cgroupV1Metrics } from './v1/metrics.ts'
import { cgroupV2Metrics } from './v2/metrics.ts'
import { parsePressure } from './v2/pressure.ts'

const max = 2n ** 64n - 1n

async function fixture(
  scratch: TempDir,
  directory: string,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const path = join(scratch.path, directory)
  await mkdir(path)
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text)
  return path
}

/** As Linux 6.12 prints them. */
const unified = {
  'cgroup.procs': '1234\n',
  'pids.current': '3\n',
  'pids.max': 'max\n',
  'cpu.stat':
    'usage_usec 9007199254740993\nuser_usec 120\nsystem_usec 34\nnice_usec 0\ncore_sched.force_idle_usec 0\n' +
    'nr_periods 5\nnr_throttled 2\nthrottled_usec 77\nnr_bursts 1\nburst_usec 9\n',
  'cpu.pressure':
    'some avg10=0.12 avg60=3.40 avg300=56.78 total=1234567\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n',
  'memory.stat':
    'anon 4096\nfile 8192\nkernel 20480\nkernel_stack 16384\npagetables 4096\nsec_pagetables 0\npercpu 0\n' +
    'sock 1\nvmalloc 0\nshmem 2\nfile_mapped 3\nfile_dirty 4\nfile_writeback 5\nswapcached 0\nanon_thp 6\n' +
    'file_thp 0\ninactive_anon 7\nactive_anon 8\ninactive_file 9\nactive_file 10\nunevictable 11\n' +
    'slab_reclaimable 12\nslab_unreclaimable 13\nslab 25\nworkingset_refault_anon 1\n' +
    'workingset_refault_file 2\nworkingset_activate_anon 3\nworkingset_activate_file 4\n' +
    'workingset_restore_anon 0\nworkingset_nodereclaim 5\npgscan 14\npgsteal 15\npgfault 16\npgmajfault ' +
    '17\npgrefill 18\npgactivate 19\npgdeactivate 20\npglazyfree 21\npglazyfreed 22\nthp_fault_alloc 23\n' +
    'thp_collapse_alloc 24\n',
  'memory.current': '53248\n',
  'memory.max': '104857600\n',
  'memory.peak': '90000\n',
  'memory.swap.current': '0\n',
  'memory.swap.max': 'max\n',
  'memory.swap.peak': '17\n',
  'memory.pressure':
    'some avg10=0.00 avg60=0.00 avg300=0.00 total=5\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=4\n',
  'memory.events': 'low 0\nhigh 1\nmax 12\noom 3\noom_kill 2\noom_group_kill 1\n',
  'io.stat':
    '254:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n7:1 \n8:16 rbytes=1 wbytes=0 rios=1 wios=0\n',
  'io.pressure': 'some avg10=1.00 avg60=0.00 avg300=0.00 total=1\n',
  'rdma.current': 'mlx4_0 hca_handle=2 hca_object=2000\n',
  'rdma.max': 'mlx4_0 hca_handle=max hca_object=3000\n',
  'hugetlb.2MB.current': '4194304\n',
  'hugetlb.2MB.max': 'max\n',
  'hugetlb.2MB.events': 'max 6\n',
  'hugetlb.2MB.rsvd.current': '0\n',
  'hugetlb.1GB.current': '0\n',
  'hugetlb.1GB.max': '1073741824\n',
  'hugetlb.1GB.events': 'max 0\n',
}

describe('statistics of the unified hierarchy', () => {
  test('are what the files say, in full precision', async () => {
    await using scratch = await tempDir()
    const metrics = cgroupV2Metrics(await fixture(scratch, 'c', unified))
    expect(metrics).toMatchObject({
      pids: { current: 3n, limit: max },
      cpu: {
        usageUsec: 9007199254740993n,
        userUsec: 120n,
        systemUsec: 34n,
        nrPeriods: 5n,
        nrThrottled: 2n,
        throttledUsec: 77n,
        nrBursts: 1n,
        burstUsec: 9n,
        psi: {
          some: { avg10: 0.12, avg60: 3.4, avg300: 56.78, total: 1234567n },
          full: { avg10: 0, avg60: 0, avg300: 0, total: 0n },
        },
      },
      memory: {
        anon: 4096n,
        file: 8192n,
        kernelStack: 16384n,
        slab: 25n,
        unevictable: 11n,
        workingsetRefault: 3n,
        workingsetActivate: 7n,
        workingsetNodereclaim: 5n,
        thpCollapseAlloc: 24n,
        usage: 53248n,
        usageLimit: 104857600n,
        maxUsage: 90000n,
        swapUsage: 0n,
        swapLimit: max,
        swapMaxUsage: 17n,
        psi: { some: { total: 5n }, full: { total: 4n } },
      },
      memoryEvents: { low: 0n, high: 1n, max: 12n, oom: 3n, oomKill: 2n, oomGroupKill: 1n },
      io: {
        usage: [
          { major: 254n, minor: 0n, rbytes: 4096n, wbytes: 8192n, rios: 1n, wios: 2n },
          { major: 8n, minor: 16n, rbytes: 1n, wbytes: 0n, rios: 1n, wios: 0n },
        ],
        psi: { some: { avg10: 1, total: 1n }, full: undefined },
      },
      rdma: {
        current: [{ device: 'mlx4_0', hcaHandles: 2, hcaObjects: 2000 }],
        limit: [{ device: 'mlx4_0', hcaHandles: 4294967295, hcaObjects: 3000 }],
      },
      hugetlb: [
        { pagesize: '1GB', current: 0n, max: 1073741824n, failcnt: 0n },
        { pagesize: '2MB', current: 4194304n, max, failcnt: 6n },
      ],
    })
    const message = unpackAny(
      V2Schema,
      packAny(V2Schema, metrics as Parameters<typeof packAny<typeof V2Schema>>[1]),
    )
    expect(message.cpu?.usageUsec).toBe(9007199254740993n)
    expect(message.pids?.limit).toBe(max)
  })

  test('are zeros for what the host does not have, where clients count on it', async () => {
    await using scratch = await tempDir()
    const metrics = cgroupV2Metrics(await fixture(scratch, 'c', { 'cgroup.procs': '' }))
    expect(metrics).toMatchObject({
      pids: { current: 0n, limit: 0n },
      cpu: { usageUsec: 0n, psi: undefined },
      memory: { usage: 0n, usageLimit: 0n },
      rdma: { current: [], limit: [] },
      io: { usage: [], psi: undefined },
      hugetlb: [],
      memoryEvents: undefined,
      network: [],
    })
  })
})

describe('statistics of hierarchies by controller', () => {
  test('are what the files say', async () => {
    await using scratch = await tempDir()
    const entry = (prefix: string, first: number) => ({
      [`${prefix}.usage_in_bytes`]: `${first}\n`,
      [`${prefix}.limit_in_bytes`]: `${first + 1}\n`,
      [`${prefix}.max_usage_in_bytes`]: `${first + 2}\n`,
      [`${prefix}.failcnt`]: `${first + 3}\n`,
    })
    const directories = new Map([
      ['pids', await fixture(scratch, 'pids', { 'pids.current': '2\n', 'pids.max': 'max\n' })],
      [
        'cpu',
        await fixture(scratch, 'cpu', { 'cpu.stat': 'nr_periods 3\nnr_throttled 2\nthrottled_time 1\n' }),
      ],
      [
        'cpuacct',
        await fixture(scratch, 'cpuacct', {
          'cpuacct.usage': '123456789012\n',
          'cpuacct.stat': 'user 12\nsystem 34\n',
          'cpuacct.usage_percpu': '100 200 \n',
        }),
      ],
      [
        'memory',
        await fixture(scratch, 'memory', {
          'memory.stat':
            'cache 1\nrss 2\nrss_huge 3\npgpgin 4\npgmajfault 5\nhierarchical_memory_limit ' +
            '9223372036854771712\nhierarchical_memsw_limit 7\ntotal_cache 8\ntotal_pgmajfault 9\n',
          'memory.oom_control': 'oom_kill_disable 0\nunder_oom 1\noom_kill 2\n',
          ...entry('memory', 10),
          ...entry('memory.kmem', 20),
        }),
      ],
      [
        'blkio',
        await fixture(scratch, 'blkio', {
          'blkio.bfq.io_serviced_recursive': 'Total 0\n',
          'blkio.throttle.io_serviced_recursive': '999:7 Read 1\n999:7 Write 2\n999:7 Total 3\nTotal 3\n',
          'blkio.throttle.io_service_bytes_recursive': '999:7 Read 4096\nTotal 4096\n',
        }),
      ],
      [
        'hugetlb',
        await fixture(scratch, 'hugetlb', {
          'hugetlb.2MB.usage_in_bytes': '1\n',
          'hugetlb.2MB.max_usage_in_bytes': '2\n',
          'hugetlb.2MB.failcnt': '3\n',
          'hugetlb.2MB.rsvd.usage_in_bytes': '0\n',
        }),
      ],
      ['rdma', await fixture(scratch, 'rdma', { 'rdma.current': 'a hca_handle=1 hca_object=2\n' })],
    ])
    const metrics = cgroupV1Metrics(directories)
    const read = { op: 'Read', device: '', major: 999n, minor: 7n }
    expect(metrics).toMatchObject({
      pids: { current: 2n, limit: 0n },
      cpu: {
        usage: { total: 123456789012n, user: 120000000n, kernel: 340000000n, perCpu: [100n, 200n] },
        throttling: { periods: 3n, throttledPeriods: 2n, throttledTime: 1n },
      },
      memory: {
        cache: 1n,
        rss: 2n,
        rssHuge: 3n,
        pgPgIn: 4n,
        pgMajFault: 5n,
        hierarchicalMemoryLimit: 9223372036854771712n,
        hierarchicalSwapLimit: 7n,
        totalCache: 8n,
        totalPgMajFault: 9n,
        usage: { usage: 10n, limit: 11n, max: 12n, failcnt: 13n },
        swap: { usage: 0n, limit: 0n, max: 0n, failcnt: 0n },
        kernelTcp: { usage: 0n },
        kernel: { usage: 20n, limit: 21n, max: 22n, failcnt: 23n },
      },
      memoryOomControl: { oomKillDisable: 0n, underOom: 1n, oomKill: 2n },
      blkio: {
        ioServicedRecursive: [
          { ...read, value: 1n },
          { ...read, op: 'Write', value: 2n },
          { ...read, op: 'Total', value: 3n },
        ],
        ioServiceBytesRecursive: [{ ...read, value: 4096n }],
        ioQueuedRecursive: [],
      },
      hugetlb: [{ pagesize: '2MB', usage: 1n, max: 2n, failcnt: 3n }],
      rdma: { current: [{ device: 'a', hcaHandles: 1, hcaObjects: 2 }], limit: [] },
    })
    const message = unpackAny(
      V1Schema,
      packAny(V1Schema, metrics as Parameters<typeof packAny<typeof V1Schema>>[1]),
    )
    expect(message.memory?.hierarchicalMemoryLimit).toBe(9223372036854771712n)
    expect(message.cpu?.usage?.perCpu).toEqual([100n, 200n])
  })

  test('lack what the host does not have', async () => {
    expect(cgroupV1Metrics(new Map())).toEqual({
      hugetlb: [],
      pids: undefined,
      cpu: {
        usage: { total: 0n, kernel: 0n, user: 0n, perCpu: [] },
        throttling: { periods: 0n, throttledPeriods: 0n, throttledTime: 0n },
      },
      memory: undefined,
      memoryOomControl: undefined,
      blkio: undefined,
      rdma: undefined,
      network: [],
    })
  })
})

describe('what the kernel prints', () => {
  test('is a number, no limit, or nothing', () => {
    expect(['0', '18446744073709551615', 'max', '-1', '', 'x', '1 2', '0x1'].map(parseNumber)).toEqual([
      0n,
      max,
      max,
      0n,
      undefined,
      undefined,
      undefined,
      undefined,
    ])
  })

  test('may have lines of a later kernel', () => {
    const numbers = parseKeyed('a 1\nb some=2 full=3\nc\nd x\ne 4\n')
    expect(['a', 'b', 'c', 'd', 'e', 'f'].map(numbers)).toEqual([1n, 0n, 0n, 0n, 4n, 0n])
    expect(parseRdma('\na hca_handle=x hca_object=99999999999 other=1\nb\n')).toEqual([
      { device: 'a', hcaHandles: 0, hcaObjects: 0 },
    ])
    expect(parsePressure('')).toEqual({ some: undefined, full: undefined })
  })

  test('names devices where it has names for them', () => {
    const name = (number: string) => `/dev/${number}`
    expect(parseBlkio('8:0 Sync 5\n8:0 12\nbad\n8:0 Read x\n', name)).toEqual([
      { op: 'Sync', device: '/dev/8:0', major: 8n, minor: 0n, value: 5n },
      { op: '', device: '/dev/8:0', major: 8n, minor: 0n, value: 12n },
    ])
  })
})
