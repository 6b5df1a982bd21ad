import { InvalidArgumentError, Option } from 'commander'

/** An option of stock `ctr` that cannot do here what it does there; whoever gives it is told why. */
export function refusedOption(flags: string, why: string): Option {
  const refuse = () => {
    throw new InvalidArgumentError(`Not supported: ${why}.`)
  }
  return new Option(flags, why).hideHelp().argParser(refuse)
}
