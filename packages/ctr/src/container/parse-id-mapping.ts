import { NsboxError } from '@nsbox/errors'
import type { IdMapping } from '@nsbox/oci/runtime-spec'

const greatest = 2 ** 32 - 1

/** A range of ids in a user namespace, written `<inside>:<outside>:<length>`. @throws `invalid_argument` */
export function parseIdMapping(text: string): IdMapping {
  const [, inside, outside, length] = /^(\d{1,10}):(\d{1,10}):(\d{1,10})$/.exec(text) ?? []
  const mapping = { containerID: Number(inside), hostID: Number(outside), size: Number(length) }
  const { containerID, hostID, size } = mapping
  if (size >= 1 && containerID + size <= greatest && hostID + size <= greatest) return mapping
  throw new NsboxError(
    'invalid_argument',
    `mapping of ids ${JSON.stringify(text)}: not of the form <inside>:<outside>:<length>, or too long`,
  )
}
