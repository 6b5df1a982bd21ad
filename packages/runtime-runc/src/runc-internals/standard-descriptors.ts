import { constants } from 'node:fs'
import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fromSystemError, isErrno, NsboxError } from '@nsbox/errors'

/** The file in which runc keeps what the standard descriptors of a container were open to. */
const name = 'descriptors.json'

const maxSize = 16 * 1024
const standard = 3

/**
 * Checks `descriptors.json` of untrusted images and rewrites it. On restore, runc lets CRIU replace the pipe that the
 * Nth text names with its own descriptor N. Up to 2 these are the container's input and outputs; a higher number would
 * give it a descriptor of CRIU, such as a directory of the host (docs/threat-model.md D11).
 *
 * @param images a directory that only this process changes
 * @throws `invalid_argument` unless it is a list of at most three texts or missing
 */
export async function checkStandardDescriptors(images: string): Promise<void> {
  const path = join(images, name)
  const text = await textOf(path)
  if (text === undefined) return
  const names = parsed(text)
  if (!Array.isArray(names) || !names.every((entry) => typeof entry === 'string'))
    throw refused('not a list of texts')
  if (names.length > standard) throw refused(`${names.length} descriptors, a container is given ${standard}`)
  await writeFile(path, JSON.stringify(names))
}

/** Undefined if there is none. */
async function textOf(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(maxSize + 1), 0, maxSize + 1, 0)
    if (bytesRead > maxSize) throw refused(`more than ${maxSize} bytes`)
    return buffer.toString('utf8', 0, bytesRead)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw fromSystemError(error, 'images of a checkpoint')
  }
}

function refused(reason: string): NsboxError {
  return new NsboxError('invalid_argument', `checkpoint entry "${name}": ${reason}`, {
    details: { entry: name },
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
