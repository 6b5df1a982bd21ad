import { readSync } from 'node:fs'
import { isErrno, isNsboxError, NsboxError } from '@nsbox/errors'
import * as sys from '@nsbox/sys'
import { type OwnedDescriptor, ownedDescriptor } from './owned-descriptor.ts'

/**
 * A file system being set up (fsopen(2)). An error names the refused setting and has the kernel's message, as in
 * `size=x: EINVAL: tmpfs: Bad value for 'size'`.
 */
export interface FileSystemContext extends Disposable {
  flag(key: string): void
  /** @param shown the value to show in an error, if it is not the value itself */
  set(key: string, value: string, shown?: string): void
  /** Makes the file system and a detached mount of it. */
  mount(attributes: number): OwnedDescriptor
}

export function fileSystemContext(type: string): FileSystemContext {
  const context = ownedDescriptor(sys.fsopen(type))
  const { fd } = context
  return {
    flag: (key) => explained(fd, key, () => sys.fsconfigFlag(fd, key)),
    set: (key, value, shown = value) =>
      explained(fd, `${key}=${shown}`, () => sys.fsconfigString(fd, key, value)),
    mount: (attributes) =>
      explained(fd, '', () => {
        sys.fsconfigCreate(fd)
        return ownedDescriptor(sys.fsmount(fd, attributes))
      }),
    [Symbol.dispose]: () => context[Symbol.dispose](),
  }
}

function explained<T>(context: number, what: string, call: () => T): T {
  try {
    return call()
  } catch (error) {
    if (!isNsboxError(error)) throw error
    const text = [what, error.details.errno ?? error.context, ...readMessages(context)].filter(
      (part) => part !== '',
    )
    throw new NsboxError(error.code, text.join(': '), { cause: error, details: error.details })
  }
}

/** Reads the messages of a context: each is a letter for its severity, a space and the text. */
function readMessages(context: number): string[] {
  const messages: string[] = []
  const buffer = Buffer.alloc(4096)
  // The kernel keeps eight at most.
  while (messages.length < 8) {
    try {
      const size = readSync(context, buffer)
      messages.push(buffer.toString('utf8', 2, size).trim())
    } catch (error) {
      if (isErrno(error, 'ENODATA')) return messages
      throw error
    }
  }
  return messages
}
