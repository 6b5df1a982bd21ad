import { type Command, InvalidArgumentError } from 'commander'

/** The options that stand before every command. */
export interface GlobalOptions {
  readonly address?: string | undefined
  readonly namespace?: string | undefined
  /** Milliseconds for the whole command; 0 for no limit. */
  readonly timeout?: number | undefined
  /** Milliseconds for the connection; 0 for the client's own limit. */
  readonly connectTimeout?: number | undefined
  /** Files in PEM, for a server over TCP. */
  readonly tlsCa?: string | undefined
  readonly tlsCert?: string | undefined
  readonly tlsKey?: string | undefined
  /** A file with a token for it. */
  readonly tokenFile?: string | undefined
  /** Name of a snapshotter of the server. */
  readonly snapshotter?: string | undefined
  /** Data root of the server that runs inside this process when there is no other. */
  readonly root?: string | undefined
  readonly debug?: boolean | undefined
}

/** Adds the options that stand before every command (docs/behaviour.md §9, §11). */
export function addGlobalOptions(program: Command): Command {
  return program
    .option('-a, --address <socket>', 'address of the server, or tcp://host:port [$CONTAINERD_ADDRESS]')
    .option('-n, --namespace <name>', 'namespace to work in [$CONTAINERD_NAMESPACE] (default: "default")')
    .option('--timeout <duration>', 'time for the whole command, such as 30s', parseDuration)
    .option('--connect-timeout <duration>', 'time for connecting, such as 5s', parseDuration)
    .option('--tls-ca <file>', 'authorities of a server over TCP (default: those of the system)')
    .option('--tls-cert <file>', 'certificate that a server over TCP knows you by')
    .option('--tls-key <file>', 'key of that certificate')
    .option('--token-file <file>', 'file with the token that a server over TCP knows you by')
    .option('--snapshotter <name>', 'snapshotter to work with [$CONTAINERD_SNAPSHOTTER]')
    .option('--root <directory>', 'data root of the embedded server, used when no server runs')
    .option('--debug', 'show what happens inside')
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Milliseconds of a duration such as `1m30s`; 0, which stands for no limit, needs no unit. */
export function parseDuration(text: string): number {
  if (text === '0') return 0
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/gy)]
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) {
    throw new InvalidArgumentError('a duration looks like 500ms, 30s or 1m30s')
  }
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (units[unit as string] as number), 0)
}
