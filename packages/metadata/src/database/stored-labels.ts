import type { Labels } from '@nsbox/core/labels'

/** Labels or annotations as the database stores them. */
export function encodeLabels(labels: Labels): string {
  return JSON.stringify(labels)
}

/** The inverse. The result has no prototype, so that a key such as `__proto__` is a key like any other. */
export function decodeLabels(json: string): Labels {
  return Object.assign(Object.create(null), JSON.parse(json))
}
