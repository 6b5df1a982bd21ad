/** The steps of a dotted key, as they are written in a configuration file. */
export function rawSteps(key: string): readonly string[] {
  return key.match(/"(?:[^"\\]|\\.)*"|[^."]+/g) ?? []
}

/** The steps of a dotted key, as they are meant. */
export function stepsOf(key: string): readonly string[] {
  return rawSteps(key).map((step) => (step.startsWith('"') ? JSON.parse(step) : step))
}
