import { chmod, chown, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runOrThrow, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, it } from 'vitest'

const nobody = 65_534

async function makeAsNobody(directory: string, temporary: string): Promise<Record<string, string>> {
  const script = new URL('../testing/unprivileged-image.ts', import.meta.url).pathname
  const user = ['--reuid', String(nobody), '--regid', String(nobody), '--clear-groups']
  const node = [process.execPath, '--conditions=@nsbox/source', '--import', 'tsx', script, directory]
  const env = { TMPDIR: temporary, HOME: temporary }
  const cwd = import.meta.dirname
  const { stdout } = await runOrThrow('setpriv', [...user, ...node], { env, cwd })
  return JSON.parse(stdout)
}

describeWith(
  { root: true, linux: true, programs: ['setpriv'] },
  'an image that a user without privileges makes',
  () => {
    it('holds what others own, and fails for what cannot be read, naming it', async () => {
      await using dir = await tempDir()
      await chmod(dir.path, 0o755)
      const temporary = join(dir.path, 'tmp')
      await mkdir(temporary)
      await chown(temporary, nobody, nobody)
      const root = join(dir.path, 'rootfs')
      await mkdir(join(root, 'etc'), { recursive: true })
      await writeFile(join(root, 'etc/hostname'), 'made')
      expect(await makeAsNobody(root, temporary)).toEqual({ digest: expect.stringMatching(/^sha256:/) })
      await writeFile(join(root, 'etc/shadow'), 'secret')
      await chmod(join(root, 'etc/shadow'), 0o600)
      expect(await makeAsNobody(root, temporary)).toMatchObject({
        code: 'permission_denied',
        context: expect.stringContaining('"etc/shadow"'),
      })
    })
  },
)
