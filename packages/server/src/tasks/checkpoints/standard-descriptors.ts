import type { TarMember } from '@nsbox/diff/archive'
import { refusedMember } from './member-path.ts'

/** The file in which runc keeps the targets of a container's first descriptors. */
export const descriptorsName = 'descriptors.json'

const maxSize = 16 * 1024
const standard = 3

/**
 * Reads `descriptors.json`, and writes it anew. On restore, runc has CRIU put its own descriptor of the number N in the
 * place of the pipe that the Nth text names. For 0 to 2 that is the container's own input and output; for other numbers
 * it would be a descriptor of CRIU's, such as a directory of the host.
 *
 * @throws `invalid_argument` unless it is a list of at most three texts
 */
export async function standardDescriptors(member: TarMember): Promise<Uint8Array> {
  const { entry, size, content } = member
  if (size > maxSize) throw refusedMember(entry.name, `${size} bytes, at most ${maxSize} are accepted`)
  const chunks: Uint8Array[] = []
  for await (const chunk of content) chunks.push(Buffer.from(chunk))
  const names = parsed(Buffer.concat(chunks).toString())
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string'))
    throw refusedMember(entry.name, 'not a list of texts')
  if (names.length > standard)
    throw refusedMember(entry.name, `${names.length} descriptors, a container is given ${standard}`)
  return Buffer.from(JSON.stringify(names))
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
