import { randomUUID } from 'node:crypto'
import { open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno } from '@nsbox/errors'

const pattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The UUID of a data root, made by the first start. A damaged file is replaced. */
export async function serverUuid(root: string): Promise<string> {
  const path = join(root, 'uuid')
  const known = await read(path)
  if (pattern.test(known)) return known
  const uuid = randomUUID()
  const temporary = `${path}.new`
  {
    await using file = await open(temporary, 'w', 0o600)
    await file.writeFile(`${uuid}\n`)
    await file.sync()
  }
  await rename(temporary, path)
  await using directory = await open(root)
  await directory.sync()
  return uuid
}

async function read(path: string): Promise<string> {
  try {
    return (await readFile(path, 'latin1')).trim()
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return ''
    throw error
  }
}
