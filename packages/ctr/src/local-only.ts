/**
 * Refuses options that only a command can follow which talks to the registry itself.
 *
 * @param flags by the name of each option, how it is typed
 */
export function requireLocal<Options extends object>(
  options: Options,
  flags: Partial<Record<keyof Options, string>>,
): void {
  for (const name of Object.keys(flags) as (keyof Options)[]) {
    if (options[name] !== undefined) throw new Error(`"${flags[name]}" requires "--local" flag`)
  }
}
