import { constants } from 'node:os'

const names = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]))

/** Such as `SIGKILL`. */
export function signalName(number: number): NodeJS.Signals {
  return (names.get(number) ?? `signal ${number}`) as NodeJS.Signals
}
