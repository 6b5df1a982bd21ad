import { constants } from 'node:os'
import { NsboxError } from '@nsbox/errors'

/** The first and the last of the real-time signals, as Linux numbers them for programs. */
const realTime = { first: 34, last: 64 }

/**
 * The number of a signal given by its number, 1 to 64, or its name in any case, with or without `SIG`: `9`, `KILL`,
 * `sigterm`, `RTMIN+3`.
 *
 * @throws `invalid_argument`
 */
export function signalNumber(signal: string | number): number {
  const text = String(signal).toUpperCase()
  if (/^\d+$/.test(text)) {
    const number = Number(text)
    if (number >= 1 && number <= realTime.last) return number
    throw invalid(signal)
  }
  const name = text.replace(/^SIG/, '')
  const known = (constants.signals as Readonly<Record<string, number>>)[`SIG${name}`]
  if (known !== undefined) return known
  const [, base, offset = '0'] = /^(RTMIN|RTMAX)([+-]\d+)?$/.exec(name) ?? []
  if (base === undefined) throw invalid(signal)
  const number = (base === 'RTMIN' ? realTime.first : realTime.last) + Number(offset)
  if (number < realTime.first || number > realTime.last) throw invalid(signal)
  return number
}

function invalid(signal: string | number): NsboxError {
  return new NsboxError('invalid_argument', `invalid signal: ${signal}`)
}
