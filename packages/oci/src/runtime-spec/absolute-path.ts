import { quoted } from '../quoted.ts'
import { refuse } from '../validate.ts'

/** @throws `invalid_argument`, naming the field, for what is not an absolute path of Linux */
export function assertAbsolutePath(path: string, field: string): void {
  if (!path.startsWith('/') || path.includes('\0'))
    throw refuse(field, `${quoted(path)} is not an absolute path`)
}
