import { readTar } from '@nsbox/diff/archive'
import { NsboxError, quoted } from '@nsbox/errors'
import type { ArchiveFile } from './archive-file.ts'
import { archiveName, linkedName, maxArchiveName } from './archive-name.ts'

/** Most headers of an archive of images; real ones have a few hundred. */
const maxHeaders = 200_000

/**
 * The files of a tar archive, plain or compressed by gzip or zstd. Directories are implied by the names of files, and
 * entries that cannot belong to an image, such as devices, are left out.
 *
 * @throws `invalid_argument` for a name that leads out of the archive, `resource_exhausted` for one that is too long;
 * as `readTar`
 */
export async function* tarFiles(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<ArchiveFile> {
  for await (const member of readTar(source, { limits: { headers: maxHeaders }, signal })) {
    const { type, linkName, size, content } = member
    if (type !== 'file' && type !== 'symlink' && type !== 'hardlink') continue
    if (member.name.length > maxArchiveName || linkName.length > maxArchiveName) {
      throw new NsboxError(
        'resource_exhausted',
        `archive entry ${quoted(member.name)}: a name or link of more than ${maxArchiveName} characters`,
      )
    }
    const name = archiveName(member.name)
    if (name === undefined) {
      throw new NsboxError('invalid_argument', `archive entry ${quoted(member.name)}: names no file in it`)
    }
    if (type === 'file') yield { kind: 'file', name, size, content }
    else
      yield {
        kind: 'link',
        name,
        target: type === 'symlink' ? linkedName(name, linkName) : archiveName(linkName),
      }
  }
}
