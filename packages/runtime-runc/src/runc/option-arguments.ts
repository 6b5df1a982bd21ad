/** Values of a command's options; undefined, false and empty lists are left out. */
export type OptionValues = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

/** The arguments for options by their names without dashes, in order; a list repeats its option. */
export function optionArguments(values: OptionValues): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    if (value === undefined || value === false) return []
    if (value === true) return [`--${name}`]
    const each = typeof value === 'object' ? value : [String(value)]
    return each.flatMap((one) => [`--${name}`, one])
  })
}
