import { hasId, isInUserNamespace, ownIdRanges } from '@nsbox/sys/user-namespaces'
import type { Owner } from './recorded-owner.ts'

/**
 * What this process may do with files: root of the system may give them to anybody and make devices; root of a user
 * namespace may give them to the ids of that namespace; an ordinary user owns all that it makes.
 */
export interface FileRights {
  /** Whether some owners, devices and attributes are out of reach. */
  readonly limited: boolean
  /** Mode bits that all files and directories keep for their owner, who could not read or remove them otherwise. */
  readonly keptMode: { readonly file: number; readonly directory: number }
  /** The owner of new files. */
  readonly own: Owner
  /** Whether a file can be given to an owner. */
  canGive(owner: Owner): boolean
}

let rights: FileRights | undefined

/** The rights of this process, which do not change. */
export function fileRights(): FileRights {
  rights ??= read()
  return rights
}

function read(): FileRights {
  const own = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 }
  if (own.uid !== 0) {
    const canGive = ({ uid, gid }: Owner) => uid === own.uid && gid === own.gid
    return { limited: true, keptMode: { file: 0o600, directory: 0o700 }, own, canGive }
  }
  // The modes of what root owns do not bind it.
  const keptMode = { file: 0, directory: 0 }
  if (!isInUserNamespace()) return { limited: false, keptMode, own, canGive: () => true }
  const [uids, gids] = [ownIdRanges('uid'), ownIdRanges('gid')]
  return { limited: true, keptMode, own, canGive: ({ uid, gid }) => hasId(uids, uid) && hasId(gids, gid) }
}
