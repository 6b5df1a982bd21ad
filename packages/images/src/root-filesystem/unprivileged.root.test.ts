import { chmod, chown, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runOrThrow, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, it } from 'vitest'

const somebody = 1234

/** Makes the image in a process without capabilities, and so without rights over files of others. */
async function makeWithoutPrivileges(directory: string): Promise<Record<string, string>> {
  const script = new URL('../testing/unprivileged-image.ts', import.meta.url).pathname
  const none = ['--bounding-set=-all', '--inh-caps=-all']
  const node = [process.execPath, '--conditions=@nsbox/source', '--import', 'tsx', script, directory]
  const { stdout } = await runOrThrow('setpriv', [...none, ...node], { cwd: import.meta.dirname })
  return JSON.parse(stdout)
}

describeWith(
  { root: true, linux: true, programs: ['setpriv'] },
  'an image that a user without privileges makes',
  () => {
    it('holds what others own, and fails for what cannot be read, naming it', async () => {
      await using dir = await tempDir()
      const root = join(dir.path, 'rootfs')
      await mkdir(join(root, 'etc'), { recursive: true })
      await writeFile(join(root, 'etc/hostname'), 'made')
      await chown(join(root, 'etc/hostname'), somebody, somebody)
      expect(await makeWithoutPrivileges(root)).toEqual({ digest: expect.stringMatching(/^sha256:/) })
      await writeFile(join(root, 'etc/shadow'), 'secret')
      await chown(join(root, 'etc/shadow'), somebody, somebody)
      await chmod(join(root, 'etc/shadow'), 0o600)
      expect(await makeWithoutPrivileges(root)).toMatchObject({
        code: 'permission_denied',
        context: expect.stringContaining('"etc/shadow"'),
      })
    })
  },
)
