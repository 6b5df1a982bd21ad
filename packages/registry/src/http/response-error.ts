import { type ErrorCode, NsboxError } from '@nsbox/errors'
import type { RegistryLimits } from '../limits.ts'
import type { Exchange, Reply } from './exchange.ts'
import { remoteText } from './redact.ts'
import { readStart } from './response-body.ts'
import { retryAfter } from './retry-after.ts'

/** Most bytes read of an error's body (docs/threat-model.md B02). */
const maxErrorBody = 64 * 1024

const transientStatuses = new Set([408, 425, 429, 500, 502, 503, 504])

/**
 * The error for a status, with the codes and messages of the body if it has the form of the distribution specification
 * ("Error Codes"). Consumes the body.
 *
 * @returns 401 `unauthenticated`, 403 and 451 `permission_denied`, 404 and 410 `not_found`, 429 `resource_exhausted`,
 * 501 `unimplemented`, other 5xx `unavailable`, 408 `unavailable`, other 4xx `invalid_argument`, `failed_precondition`
 * if the registry found another digest or size than announced, `unknown` for a status that is no error
 */
export async function responseError(
  exchange: Exchange,
  reply: Reply,
  limits: RegistryLimits,
): Promise<NsboxError> {
  const source = `${exchange.method} ${reply.address}`
  const errors = await bodyErrors(reply, source, limits)
  const said = errors.map(({ code, message }) => [code, message].filter(Boolean).join(': ')).join('; ')
  const after = retryAfter(reply.headers['retry-after'])
  return new NsboxError(
    errors.some(({ code }) => code === 'DIGEST_INVALID' || code === 'SIZE_INVALID')
      ? 'failed_precondition'
      : codeOf(reply.status),
    `${source}: status ${reply.status}${said === '' ? '' : ` (${said})`}`,
    {
      details: {
        status: reply.status,
        ...(transientStatuses.has(reply.status) && { transient: true }),
        ...(after !== undefined && { retryAfter: after }),
      },
    },
  )
}

function codeOf(status: number): ErrorCode {
  switch (status) {
    case 401:
      return 'unauthenticated'
    case 403:
    case 451:
      return 'permission_denied'
    case 404:
    case 410:
      return 'not_found'
    case 408:
      return 'unavailable'
    case 429:
      return 'resource_exhausted'
    case 501:
      return 'unimplemented'
    default:
      if (status >= 500) return 'unavailable'
      return status >= 400 ? 'invalid_argument' : 'unknown'
  }
}

interface BodyError {
  readonly code: string
  readonly message: string
}

async function bodyErrors(reply: Reply, source: string, limits: RegistryLimits): Promise<BodyError[]> {
  // A body that breaks off must not hide the status.
  const start = await readStart(reply.body, source, maxErrorBody, limits).catch(() => undefined)
  if (start === undefined || start.bytes.byteLength === 0) return []
  const text = Buffer.from(start.bytes).toString()
  const clean = (value: unknown) => (typeof value === 'string' ? remoteText(value, reply.secrets) : '')
  try {
    const json = JSON.parse(text) as { errors?: unknown; details?: unknown } | null
    const list = Array.isArray(json?.errors) ? json.errors.slice(0, 5) : []
    if (list.length > 0)
      return list.map((entry: { code?: unknown; message?: unknown } | null) => ({
        code: clean(entry?.code),
        message: clean(entry?.message),
      }))
    // The form of token servers such as Docker Hub's.
    if (typeof json?.details === 'string') return [{ code: '', message: clean(json.details) }]
  } catch {
    // Not JSON: a text or page of a proxy.
  }
  const type = String(reply.headers['content-type'] ?? '')
  return type.startsWith('text/plain') ? [{ code: '', message: clean(text) }] : []
}
