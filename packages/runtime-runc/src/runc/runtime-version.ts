import { NsboxError } from '@nsbox/errors'

/** What `--version` prints. */
export interface RuntimeVersion {
  /** Such as `runc`. */
  readonly name: string
  /** As printed, such as `1.1.15+ds1`. */
  readonly version: string
  readonly commit?: string | undefined
  /** Version of the runtime specification. */
  readonly spec?: string | undefined
}

/** Reads what runc and crun print. @throws unknown */
export function parseVersion(text: string): RuntimeVersion {
  const [, name, version] = /^(\S+) version (\S+)/m.exec(text) ?? []
  if (name === undefined || version === undefined)
    throw new NsboxError('unknown', 'OCI runtime --version printed no version')
  const field = (key: string) => new RegExp(`^${key}:\\s*(\\S+)`, 'm').exec(text)?.[1]
  return { name, version, commit: field('commit'), spec: field('spec') }
}

/**
 * First releases without the escapes of 2025 (CVE-2025-31133, CVE-2025-52565, CVE-2025-52881), by their series. Series
 * before the first have none, and those after the last all do.
 */
const fixed: readonly (readonly [major: number, minor: number, patch: number])[] = [
  [1, 2, 8],
  [1, 3, 3],
  [1, 4, 0],
]

/**
 * A warning, or undefined. Distributions repair their packages without a new version, so an old version is a reason to
 * warn and not to refuse.
 */
export function versionWarning({ name, version }: RuntimeVersion): string | undefined {
  const match = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version)
  if (name !== 'runc' || match === null) return undefined
  const [major, minor, patch] = match.slice(1).map(Number) as [number, number, number]
  const order = ([m, n]: readonly number[]) => m! * 1000 + n!
  const series = fixed.find((entry) => order(entry) >= order([major, minor]))
  if (series === undefined) return undefined
  const sameSeries = order(series) === order([major, minor])
  if (sameSeries && patch >= series[2]) return undefined
  return `runc ${version} is older than the releases that closed known escapes (${fixed
    .map((entry) => entry.join('.'))
    .join(', ')}), unless the distribution has repaired it`
}
