import { defaultPlatform, formatPlatform, type Platform, parsePlatform } from '@nsbox/oci'
import { type Command, Option } from 'commander'

/** The options that choose platforms. */
export interface PlatformOptions {
  readonly platform?: Platform[]
  readonly allPlatforms?: boolean
}

/** Adds the options that choose platforms. */
export function addPlatformOptions(command: Command): Command {
  return command
    .option(
      '--platform <platform>',
      'take this platform, such as linux/arm64; may be given again',
      collectPlatforms,
    )
    .option('--all-platforms', 'take all platforms')
}

/** The option that chooses one platform, by default the one that this process runs on. */
export function platformOfMachine(description: string): Option {
  const platform = defaultPlatform()
  return new Option('--platform <platform>', description)
    .argParser(parsePlatform)
    .default(platform, formatPlatform(platform))
}

/** Adds a platform to those that were given before. */
export function collectPlatforms(text: string, previous: Platform[] = []): Platform[] {
  return [...previous, parsePlatform(text)]
}

/** The chosen platforms, empty for all: by default the one that this process runs on. */
export function chosenPlatforms({ platform, allPlatforms }: PlatformOptions): Platform[] {
  if (allPlatforms) return []
  return platform ?? [defaultPlatform()]
}
