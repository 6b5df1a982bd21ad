import type { Timestamp } from '@nsbox/time'

/** A time as Go prints it where nobody says how: `2026-01-02 03:04:05.6 +0000 UTC`. */
export function goTime(time: Timestamp): string {
  return time.toString().replace('T', ' ').replace('Z', ' +0000 UTC')
}
