/**
 * The packages by floor, the highest last. A package may depend on packages of lower floors; never on its own
 * floor, except as `sameFloor` lists.
 */
export const floors: readonly (readonly string[])[] = [
  ['concurrency', 'errors', 'filters', 'oci', 'api', 'sys', 'time'],
  ['cni', 'command-line', 'mount', 'sqlite', 'supervisor', 'ttrpc'],
  ['core', 'namespaces', 'trees'],
  ['bundle', 'content', 'snapshots', 'diff', 'registry', 'compliance', 'web'],
  ['images'],
  ['client', 'metadata', 'runtime-runc', 'runtime-shim'],
  ['server'],
  ['ctr', 'dist'],
]

/**
 * What a package may use of its own floor.
 */
export const sameFloor: Readonly<Record<string, readonly string[]>> = {
  filters: ['errors'],
  oci: ['errors'],
  api: ['errors', 'time'],
  time: ['errors'],
  sys: ['errors'],
  // Their commands overlap.
  dist: ['ctr'],
}

/**
 * Packages with native code, each with the one package that may use it.
 */
export const nativeCode: Readonly<Record<string, string>> = { 'better-sqlite3': 'sqlite', koffi: 'sys' }

/** The package whose bundle has those in it that use native code, and which therefore depends on it itself. */
export const wholeBundle = 'server'

/**
 * What packages take in of others when they are built (`scripts/bundles.mjs`), so that they do not depend on them: the
 * entries are JavaScript alone, the packages are not.
 */
export const takenIn: Readonly<Record<string, readonly string[]>> = {
  images: ['@nsbox/diff/archive', '@nsbox/diff/growing-file', '@nsbox/mount/overlay'],
}

/**
 * Directories below `src` whose files are bundled with all that they import when their package is built: what they
 * import is for development alone.
 */
export const bundledSources: Readonly<Record<string, string>> = { web: 'page' }

/**
 * The packages that stay light, each with all external packages that installing it may bring, directly or not.
 * None of them may have native code or depend on `sqlite` or `sys`.
 */
export const lightPackages: Readonly<Record<string, readonly string[]>> = {
  concurrency: [],
  errors: [],
  filters: ['re2js'],
  oci: ['valibot'],
  time: [],
  api: ['@bufbuild/protobuf', '@connectrpc/connect'],
  cni: ['valibot'],
  compliance: ['valibot'],
  'command-line': ['commander'],
  content: ['re2js', 'valibot'],
  core: ['valibot'],
  images: ['@whatwg-node/disposablestack', '@whatwg-node/promise-helpers', 'tslib', 'valibot'],
  namespaces: [],
  web: [],
  registry: [
    '@whatwg-node/disposablestack',
    '@whatwg-node/promise-helpers',
    'smol-toml',
    'tslib',
    'undici',
    'valibot',
  ],
  client: [
    '@bufbuild/protobuf',
    '@connectrpc/connect',
    '@connectrpc/connect-node',
    '@whatwg-node/disposablestack',
    '@whatwg-node/promise-helpers',
    'tslib',
    'valibot',
  ],
}

/**
 * Programs that do on every system what does not need Linux. Like light packages, they are portable: loading what they
 * export, or starting them, loads nothing that uses native code. What needs it is imported when it is asked for.
 */
export const portablePrograms: readonly string[] = ['ctr', 'dist']
