import { quoted } from '@nsbox/errors'
import { refuse } from '../validate.ts'
import type { DeviceRule } from './resources.ts'

/** @throws `invalid_argument`, naming the field */
export function validateDeviceRule({ type, major, minor, access }: DeviceRule, field: string): void {
  if (type !== undefined && !['a', 'b', 'c'].includes(type))
    throw refuse(`${field}.type`, `${quoted(type)} is not a type of device`)
  if (access !== undefined && !/^[rwm]*$/.test(access))
    throw refuse(`${field}.access`, `${quoted(access)} is not of r, w, m`)
  for (const [name, number] of Object.entries({ major, minor }))
    if (number !== undefined && !(number >= -1)) throw refuse(`${field}.${name}`, `${number} is negative`)
}
