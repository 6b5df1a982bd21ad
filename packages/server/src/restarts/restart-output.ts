import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import { restartLabels } from '@nsbox/core/containers'
import type { Labels } from '@nsbox/core/labels'
import { NsboxError, shownName } from '@nsbox/errors'

/** What takes the output of a task that nobody waits for; a FIFO would need a reader. */
const scheme = /^(?:file|binary|binary-v2):\/\//

/**
 * Where the output of a restarted task goes by the labels of its container; empty for nowhere.
 *
 * @throws `invalid_argument` for anything but a file or a program
 */
export function restartOutput(labels: Labels): string {
  const { [restartLabels.logUri]: uri = '', [restartLabels.logPath]: path = '' } = labels
  if (uri !== '') {
    if (scheme.test(uri)) return uri
    throw new NsboxError('invalid_argument', `label ${restartLabels.logUri} ${shownName(uri)}`)
  }
  if (path === '') return ''
  if (isAbsolute(path) && !path.includes('\0')) return pathToFileURL(path).href
  throw new NsboxError('invalid_argument', `label ${restartLabels.logPath} ${shownName(path)}`)
}
