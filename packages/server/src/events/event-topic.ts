import { NsboxError, quoted } from '@nsbox/errors'
import { validateIdentifier } from '@nsbox/namespaces'

/** The most bytes of a topic. */
const maxTopicBytes = 4096

/**
 * Checks the topic of an event: `/` followed by components that are identifiers, such as `/images/create`.
 * @throws `invalid_argument`
 */
export function validateTopic(topic: string): void {
  if (topic === '') throw new NsboxError('invalid_argument', 'topic must not be empty')
  if (!topic.startsWith('/') || topic === '/' || topic.length > maxTopicBytes) {
    throw new NsboxError(
      'invalid_argument',
      `topic ${quoted(topic)} must start with "/" and have at least one component`,
    )
  }
  for (const component of topic.slice(1).split('/')) {
    try {
      validateIdentifier(component)
    } catch (cause) {
      throw new NsboxError('invalid_argument', `component ${quoted(component)} of topic`, {
        cause,
      })
    }
  }
}
