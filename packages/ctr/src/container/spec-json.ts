import type { Container } from '@nsbox/core/containers'
import { isJson, jsonText } from '../opaque-json.ts'

/** Whether a container's spec is one that `specJson` can show. */
export function hasJsonSpec({ spec }: Container): boolean {
  return isJson(spec)
}

/**
 * The spec of a container as the JSON that is stored, unknown fields included.
 * @throws `invalid_argument` for a spec of another type, or damaged JSON
 */
export function specJson({ id, spec }: Container): string {
  return jsonText(`spec of container ${id}`, spec)
}
