import type { ByteString } from '../tar/byte-string.ts'
import type { TarEntryType } from '../tar/tar-entry.ts'

const acls = new Set(['system.posix_acl_access', 'system.posix_acl_default'])

/**
 * Whether a layer may set an extended attribute. Attributes of overlayfs, labels of security modules and integrity
 * measurements belong to the host; `user.` attributes exist on files and directories only.
 *
 * @param limited whether this process is not root of the system, who alone has `trusted.` attributes
 */
export function isKeptXattr(attribute: ByteString, type: TarEntryType, limited: boolean): boolean {
  if (attribute.startsWith('trusted.overlay.') || attribute.startsWith('user.overlay.')) return false
  if (attribute.startsWith('user.')) return type === 'file' || type === 'directory'
  if (attribute.startsWith('trusted.')) return !limited
  if (attribute === 'security.capability') return type === 'file'
  return acls.has(attribute) && type !== 'symlink'
}
