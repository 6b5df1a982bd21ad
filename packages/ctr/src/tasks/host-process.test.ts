import { expect, test } from 'vitest'
import { hostProcess, processOf } from './host-process.ts'

test('E13 a process cannot forge what is told of it by its name', () => {
  const rest = `S 7 1 1 0 -1 4194304 1 0 0 0 150 250 0 0 20 0 1 0 5 6 7`
  const status = 'Name:\tx) R 1\nUid:\t1000\t1001\t1000\t1000\n'
  const expected = { parent: 7, uid: 1001, cpuSeconds: 4 }
  expect(processOf(`5 (x) R 1 (y) ${rest}\n`, status, '')).toEqual({ ...expected, command: '[x) R 1 (y]' })
  expect(processOf(`5 (x) ${rest}\n`, status, 'sh\0-c\0a b\0\0')).toEqual({
    ...expected,
    command: 'sh -c a b',
  })
})

test.runIf(process.platform === 'linux')(
  'a process of this host is found, and one that is gone is not',
  async () => {
    const own = await hostProcess(process.pid)
    expect(own).toMatchObject({ pid: process.pid, parent: process.ppid, uid: process.geteuid!() })
    expect(own!.cpuSeconds).toBeGreaterThan(0)
    expect(own!.command).toContain('node')
    expect(await hostProcess(2 ** 22 + 1)).toBeUndefined()
  },
)
