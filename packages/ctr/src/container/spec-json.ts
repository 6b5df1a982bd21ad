import type { Container } from '@nsbox/core/containers'
import { NsboxError } from '@nsbox/errors'

/** Types of which the value is JSON, by the first part of their URL. */
const jsonType = /^(?:type\.googleapis\.com\/)?types\.containerd\.io\/opencontainers\/runtime-spec\//

/** Whether a container's spec is one that `specJson` can show. */
export function hasJsonSpec({ spec }: Container): boolean {
  return jsonType.test(spec.typeUrl)
}

/**
 * The spec of a container as the JSON that is stored, unknown fields included.
 * @throws `invalid_argument` for a spec of another type, or damaged JSON
 */
export function specJson(container: Container): string {
  const { id, spec } = container
  if (!hasJsonSpec(container)) {
    throw new NsboxError(
      'invalid_argument',
      `spec of container ${id} has type ${JSON.stringify(spec.typeUrl)}`,
    )
  }
  const text = new TextDecoder().decode(spec.value)
  try {
    JSON.parse(text)
  } catch (cause) {
    throw new NsboxError('invalid_argument', `spec of container ${id}: ${(cause as Error).message}`, {
      cause,
    })
  }
  return text
}
