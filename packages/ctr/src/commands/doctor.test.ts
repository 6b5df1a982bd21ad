import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TempDir, tempDir } from '@nsbox/testing'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { doctorCommand } from './doctor.ts'

let directory: TempDir
const path = process.env.PATH
beforeEach(async () => {
  directory = await tempDir('nsbox-doctor')
  process.env.PATH = directory.path
})
afterEach(async () => {
  process.env.PATH = path
  process.exitCode = undefined
  await directory[Symbol.asyncDispose]()
})

/** What the command prints and how it ends, where only the programs of the directory are found. */
async function doctor(...args: string[]): Promise<{ output: string; exitCode: unknown }> {
  const said = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  try {
    await doctorCommand().parseAsync(args, { from: 'user' })
    return { output: said.mock.calls.map(([text]) => text).join(''), exitCode: process.exitCode }
  } finally {
    said.mockRestore()
    process.exitCode = undefined
  }
}

test.runIf(process.platform === 'linux')(
  'the doctor fails where what is needed is missing or broken, and only then',
  async () => {
    const without = await doctor()
    expect(without.exitCode).toBe(1)
    expect(without.output).toMatch(
      /^missing +runc: not in \$PATH\n +needed for running containers\n +way out: install the package runc$/m,
    )
    expect(without.output).toMatch(/^ok +kernel: Linux \d.*\n +needed for images, snapshots and containers$/m)

    const runc = join(directory.path, 'runc')
    await writeFile(runc, '#!/bin/sh\necho exec format error >&2\nexit 126\n', { mode: 0o755 })
    expect((await doctor()).output).toContain(`missing  runc: ${runc} does not work: exec format error\n`)

    await writeFile(runc, '#!/bin/sh\necho runc version 1\n', { mode: 0o755 })
    const { output, exitCode } = await doctor('--json')
    const findings: { subject: string; state: string; found: string; neededFor: string }[] =
      JSON.parse(output)
    expect(findings.find(({ subject }) => subject === 'runc')).toEqual({
      ...{ subject: 'runc', state: 'ok', found: `${runc} (runc version 1)`, neededFor: 'running containers' },
    })
    expect(exitCode).toBe(findings.some(({ state }) => state === 'missing') ? 1 : undefined)
    expect(findings.map(({ subject }) => subject)).toEqual(
      expect.arrayContaining(['room', 'kernel', 'overlays', 'cgroups', 'criu']),
    )
  },
)
