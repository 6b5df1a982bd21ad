import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { NsboxError } from '@nsbox/errors'
import { tempDir } from '@nsbox/testing'
import { describe, expect, test } from 'vitest'
import { launchError } from './launch-error.ts'
import { Runc } from './runc.ts'

const files = { log: '/b/log', pidFile: '/b/pid' }
const start = ['runc', '--log', '/b/log', '--log-format', 'json']

describe('arguments of launches', () => {
  const runc = new Runc()

  test('have only what differs from the defaults', () => {
    expect(runc.createArguments('a', { ...files, bundle: '/b' })).toEqual([
      ...start,
      ...['create', '--bundle', '/b', '--pid-file', '/b/pid', 'a'],
    ])
    expect(runc.execArguments('a', { ...files, process: '/b/p.json', consoleSocket: '/b/s' })).toEqual([
      ...start,
      ...[
        'exec',
        '--detach',
        '--process',
        '/b/p.json',
        '--pid-file',
        '/b/pid',
        '--console-socket',
        '/b/s',
        'a',
      ],
    ])
    expect(runc.restoreArguments('a', { ...files, bundle: '/b', imagePath: '/i' })).toEqual([
      ...start,
      ...[
        'restore',
        '--detach',
        '--no-subreaper',
        '--bundle',
        '/b',
        '--image-path',
        '/i',
        '--pid-file',
        '/b/pid',
        'a',
      ],
    ])
  })

  test('have all options', () => {
    const options = { binary: '/bin/other', root: '/r', systemdCgroup: true, criu: '/bin/criu' }
    const other = new Runc(options)
    expect(
      other.createArguments('a', { ...files, bundle: '/b', noPivotRoot: true, noNewKeyring: true }),
    ).toEqual([
      ...['/bin/other', '--root', '/r', '--log', '/b/log', '--log-format', 'json', '--systemd-cgroup'],
      ...['--criu', '/bin/criu', 'create', '--bundle', '/b', '--no-pivot', '--no-new-keyring'],
      ...['--pid-file', '/b/pid', 'a'],
    ])
    const restore = {
      workPath: '/w',
      noPivotRoot: true,
      tcpEstablished: true,
      externalUnixSockets: true,
      shellJob: true,
      fileLocks: true,
      cgroupsMode: 'strict',
      emptyNamespaces: ['network', 'uts'],
      autoDedup: true,
      lsmProfile: 'apparmor:x',
      lsmMountContext: 'c',
    } as const
    expect(
      runc.restoreArguments('a', { ...files, bundle: '/b', imagePath: '/i', ...restore }).slice(7),
    ).toEqual([
      ...['--no-subreaper', '--bundle', '/b', '--image-path', '/i', '--work-path', '/w', '--no-pivot'],
      ...[
        '--tcp-established',
        '--ext-unix-sk',
        '--shell-job',
        '--file-locks',
        '--manage-cgroups-mode',
        'strict',
      ],
      ...['--empty-ns', 'network', '--empty-ns', 'uts', '--auto-dedup', '--lsm-profile', 'apparmor:x'],
      ...['--lsm-mount-context', 'c', '--pid-file', '/b/pid', 'a'],
    ])
  })

  test.each(['', '--all', '.', '..', '../a', 'a/b', 'a b', '-a', 'a\n'])('refuse the id %j', (id) => {
    expect(() => runc.createArguments(id, { ...files, bundle: '/b' })).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    )
  })
})

describe('launchError', () => {
  const failed = (stderr: string) => new NsboxError('unknown', 'x', { details: { exitCode: 1, stderr } })
  const missing = '/nonexistent/log'

  test('prefers the log, and reads only its end', async () => {
    await using scratch = await tempDir()
    const log = join(scratch.path, 'log')
    const line = '{"level":"error","msg":"exec failed: cannot exec in a stopped container"}\n'
    await writeFile(
      log,
      `${'{"level":"error","msg":"early"}\n'.repeat(20_000)}${line}no json\n{"level":"debug"}`,
    )
    expect(await launchError('exec', log, failed('other'))).toMatchObject({
      code: 'failed_precondition',
      context: 'OCI runtime exec failed: exec failed: cannot exec in a stopped container',
    })
  })

  test('takes standard error, then the exit status, where there is no log', async () => {
    expect(await launchError('create', missing, failed('first\nlast\n'))).toMatchObject({
      code: 'unknown',
      context: 'OCI runtime create failed: last',
    })
    expect(await launchError('create', missing, failed(''))).toMatchObject({
      context: 'OCI runtime create failed: exit status 1',
    })
    const killed = new NsboxError('unknown', 'x', { details: { stderr: '' } })
    expect(await launchError('create', missing, killed)).toMatchObject({
      context: 'OCI runtime create failed: ended by a signal',
    })
  })

  test('cuts a message without end', async () => {
    const error = (await launchError('create', missing, failed('x'.repeat(100_000)))) as NsboxError
    expect(error.message.length).toBeLessThan(5000)
  })

  test('leaves errors of another kind alone', async () => {
    const error = new NsboxError('deadline_exceeded', 'no reader')
    expect(await launchError('create', missing, error)).toBe(error)
  })
})
