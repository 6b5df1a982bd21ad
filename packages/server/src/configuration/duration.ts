import { NsboxError, quoted } from '@nsbox/errors'

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/**
 * Milliseconds of a duration such as `1m30s`, from one second to a day.
 * @param what names the setting in errors
 * @throws `invalid_argument`
 */
export function parseDuration(text: string, what: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/gy)]
  const sum = parts.reduce((all, [, amount, unit]) => all + Number(amount) * units[unit as string]!, 0)
  if (parts.map(([part]) => part).join('') === text && sum >= 1000 && sum <= 24 * 3_600_000) return sum
  throw new NsboxError(
    'invalid_argument',
    `${what} is ${quoted(text)}, must be a duration from 1s to 24h, such as 10s or 1m30s`,
  )
}
