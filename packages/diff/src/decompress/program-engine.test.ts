import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { programEngine } from './program-engine.ts'

describeWith({ linux: true }, 'a program that decompresses', () => {
  async function failureOf(script: string): Promise<unknown> {
    await using directory = await tempDir()
    const path = join(directory.path, 'program')
    await writeFile(path, `#!/bin/sh\n${script}\n`)
    await chmod(path, 0o755)
    const engine = programEngine('program', 'gzip', path, [])!
    const source = {
      async *chunks() {
        yield Buffer.from('x')
      },
    }
    const reading = (async () => {
      for await (const _chunk of engine.decompress(source, {}));
    })()
    const error = await reading.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    return { code: (error as { code: string }).code, message: String(error).replace(path, 'PATH') }
  }

  test('and refuses the layer says so', async () => {
    expect(await failureOf('cat > /dev/null; echo "not in gzip format" >&2; exit 1')).toEqual({
      code: 'data_loss',
      message: expect.stringContaining('program cannot decompress the layer (1): not in gzip format'),
    })
  })

  test('and cannot run, or is killed, is at fault, not the layer', async () => {
    expect(await failureOf('echo "libisal.so.2: cannot open shared object file" >&2; exit 127')).toEqual({
      code: 'unavailable',
      message: expect.stringContaining('PATH does not run (127): libisal.so.2'),
    })
    expect(await failureOf('kill -9 $$')).toEqual({
      code: 'unavailable',
      message: expect.stringContaining('PATH does not run (SIGKILL)'),
    })
  })

  test('is none where there is none', () => {
    expect(programEngine('program', 'gzip', '/nonexistent/program', [])).toBeUndefined()
  })
})
