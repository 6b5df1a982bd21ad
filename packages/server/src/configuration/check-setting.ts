import { NsboxError } from '@nsbox/errors'
import { type Setting, type SettingName, type Settings, settings } from './setting.ts'

/** All settings, as pairs of name and description. */
export const settingEntries = Object.entries(settings) as ReadonlyArray<[SettingName, Setting]>

/**
 * Checks texts and returns them as settings.
 *
 * @param given the values of a source, by name; undefined ones are not set
 * @param source names the source of a setting in an error, such as `NSBOX_ROOT`
 * @throws `invalid_argument`
 */
export function checkSettings(
  given: Readonly<Partial<Record<SettingName, unknown>>>,
  source: (setting: Setting) => string,
): Settings {
  const checked: Partial<Record<SettingName, string | boolean>> = {}
  for (const [name, setting] of settingEntries) {
    const value = given[name]
    if (value === undefined) continue
    if (setting.isSwitch) {
      checked[name] = switched(value, source(setting))
      continue
    }
    if (typeof value !== 'string' || value === '') {
      throw new NsboxError('invalid_argument', `${source(setting)} must be a non-empty text`)
    }
    if (setting.values !== undefined && !setting.values.includes(value)) {
      throw new NsboxError(
        'invalid_argument',
        `${source(setting)} is ${JSON.stringify(value)}, must be one of ${setting.values.join(', ')}`,
      )
    }
    checked[name] = value
  }
  return checked as Settings
}

function switched(value: unknown, source: string): boolean {
  if (typeof value === 'boolean') return value
  if (value === 'true' || value === 'false') return value === 'true'
  throw new NsboxError('invalid_argument', `${source} is ${JSON.stringify(value)}, must be true or false`)
}
