/** The environment variable that names the snapshotter of a client. */
const snapshotterVariable = 'CONTAINERD_SNAPSHOTTER'

/** The snapshotter that clients of containerd use where nothing names one. */
export const defaultSnapshotter = 'overlayfs'

/** The snapshotter that the environment asks for, or the default one. */
export function snapshotterFromEnvironment(
  env: Readonly<Record<string, string | undefined>> = process.env,
): string {
  return env[snapshotterVariable] || defaultSnapshotter
}
