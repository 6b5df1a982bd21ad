/** The documents with commands, from the root of the checkout, by who follows them. */
export const followedDocuments = {
  /** A reader whose server runs already. */
  withServer: [
    'docs/concepts.md',
    'docs/migration.md',
    'docs/security.md',
    'docs/troubleshooting.md',
    'docs/how-to/checkpoints.md',
    'docs/how-to/disk.md',
    'docs/how-to/docker.md',
    'docs/how-to/logs.md',
    'docs/how-to/mirrors.md',
    'docs/how-to/move-images.md',
    'docs/how-to/private-registry.md',
    'docs/how-to/run-containers.md',
    'docs/how-to/runtimes.md',
  ],
  /** A reader who starts one, or none. */
  withoutServer: [
    'README.md',
    'docs/configuration.md',
    'docs/how-to/metrics.md',
    'docs/how-to/rootless.md',
    'docs/how-to/systemd.md',
  ],
  /** A reader who has to install the packages first: scripts/consumers. */
  byNewcomer: ['docs/quick-start.md', 'docs/how-to/packages.md'],
  /** By tests of their own. */
  elsewhere: ['docs/swarm.md'],
} as const
