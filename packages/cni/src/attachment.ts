import { NsboxError } from '@nsbox/errors'
import type { JsonObject } from './json-object.ts'

/** One interface of a container. */
export interface Attachment {
  /** Letters, digits, `_`, `.` and `-`, beginning with a letter or digit. */
  readonly containerId: string
  /** Name of the interface in the container, at most 15 characters. */
  readonly ifName: string
  /** Path of the network namespace; may be absent to delete an attachment whose namespace is gone. */
  readonly netns?: string | undefined
  /**
   * Such as `{ portMappings: [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }] }`; each goes to the plugins that
   * ask for it.
   */
  readonly capabilityArgs?: JsonObject | undefined
}

/** CNI specification, section 2, parameters. Both become parts of file names. */
const containerIdentifier = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/
const interfaceName = /^(?!\.{1,2}$)[^/:\s\p{Cc}]{1,15}$/u

/** @throws `invalid_argument` */
export function checkAttachment({ containerId, ifName, netns }: Attachment): void {
  if (!containerIdentifier.test(containerId) || Buffer.byteLength(containerId) > 160) {
    throw new NsboxError('invalid_argument', `container id ${JSON.stringify(containerId)} for CNI`)
  }
  if (!interfaceName.test(ifName)) {
    throw new NsboxError('invalid_argument', `name of an interface ${JSON.stringify(ifName)}`)
  }
  if (netns !== undefined && !netns.startsWith('/')) {
    throw new NsboxError('invalid_argument', `path of a network namespace ${JSON.stringify(netns)}`)
  }
}
