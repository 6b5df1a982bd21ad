import { type FileHandle, mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { print, requireLinux } from '@nsbox/ctr'
import { mediaTypes } from '@nsbox/oci'
import { Command } from 'commander'

/** `apply <path>`: works in this process, without a server */
export function applyCommand(): Command {
  return new Command('apply')
    .description('apply a layer from standard input to a directory, and print its diff id')
    .argument('<path>', 'directory that becomes what the layer makes of it')
    .action(async (path: string) => {
      requireLinux('applying layers')
      const { applyLayer } = await import('@nsbox/diff')
      await using file = await unnamedFile()
      await writeFile(file, process.stdin)
      const layer = { path: `/proc/self/fd/${file.fd}`, size: (await file.stat()).size }
      // The type that leaves the compression to the bytes.
      const { diffId } = await applyLayer({
        layer,
        mediaType: mediaTypes.ociLayer,
        root: path,
        form: 'plain',
      })
      print(diffId)
    })
}

/** A file that exists only as long as it is open, even if this process dies. */
async function unnamedFile(): Promise<FileHandle> {
  const directory = await mkdtemp(join(tmpdir(), 'nsbox-apply-'))
  try {
    return await open(join(directory, 'layer'), 'wx+', 0o600)
  } finally {
    await rm(directory, { recursive: true })
  }
}
