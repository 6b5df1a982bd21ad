import { attempt, fuzz, mutatedText } from '@nsbox/testing/fuzz'
import { expect } from 'vitest'
import { parseConfiguration } from './configuration-file.ts'
import { settings } from './setting.ts'

const file = `root = "/var/lib/nsbox"
state = "/run/nsbox"
durability = "relaxed"
[content]
sharing_policy = "isolated"
[log]
level = "debug"
`
const dictionary = [
  ...'"[]=.\n#{}',
  '__proto__',
  'constructor',
  '[log]',
  'root',
  '""',
  '"""',
  '\\u0000',
  '1',
  'true',
  '\0',
]

fuzz(
  'D18 a configuration has settings that exist, each with a value that it may have, or is refused',
  mutatedText([file, 'address = "/x"\n', 'content.sharing_policy = "shared"'], { dictionary }),
  (text) => {
    const { outcome, value } = attempt(() => parseConfiguration(text, 'config.toml'))
    if (value === undefined) return outcome
    for (const [name, setting] of Object.entries(value.settings)) {
      const { values } = settings[name as keyof typeof settings] as { values?: readonly string[] }
      expect(typeof setting === 'string' && setting !== '').toBe(true)
      if (values !== undefined) expect(values).toContain(setting)
    }
    return outcome
  },
)
