import { InvalidArgumentError } from 'commander'

/** A number of things to do at once; 0 leaves it to the command. */
export function parseCount(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError('a number from 0 to 9999')
  return Number(text)
}
