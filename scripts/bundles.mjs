/** @typedef {import('./bundle.mjs').Bundle} Bundle */

/**
 * What packages are bundled into, by the names of their directories. The server is whole: the threads and processes
 * that packages start are put beside it, where the packages look for them.
 *
 * @type {Readonly<Record<string, readonly Bundle[]>>}
 */
export const bundles = {
  concurrency: [{ entry: 'src/index.ts', outfile: 'dist/index.js' }],
  ctr: [{ entry: 'src/bin/ctr.ts', outfile: 'dist/bin/ctr.js', kind: 'program' }],
  diff: [{ entry: 'src/pool/worker.ts', outfile: 'dist/pool/worker.js' }],
  dist: [{ entry: 'src/bin/dist.ts', outfile: 'dist/bin/dist.js', kind: 'program' }],
  images: [{ entry: 'src/index.ts', outfile: 'dist/index.js', takes: 'little' }],
  server: [
    { entry: 'src/index.ts', outfile: 'dist/index.js', kind: 'library', takes: 'whole' },
    { entry: 'src/bin/nsbox-server.ts', outfile: 'dist/nsbox-server.js', kind: 'program', takes: 'whole' },
    { entry: 'src/bin/nsbox-server-help.ts', outfile: 'dist/nsbox-server-help.js', takes: 'whole' },
    // Of the threads this one has a launcher, since it starts with the first layer of a pull.
    { entry: '../diff/src/pool/worker.ts', outfile: 'dist/worker.js', kind: 'program', takes: 'whole' },
    { entry: '../trees/src/tree-worker.ts', outfile: 'dist/tree-worker.js', takes: 'whole' },
    { entry: '../sqlite/src/checkpoint-worker.js', outfile: 'dist/checkpoint-worker.js', takes: 'whole' },
    { entry: '../supervisor/src/server/main.ts', outfile: 'dist/bin/supervisor.js', takes: 'whole' },
  ],
  supervisor: [
    { entry: 'src/index.ts', outfile: 'dist/index.js' },
    { entry: 'src/logs/index.ts', outfile: 'dist/logs/index.js' },
    { entry: 'src/programs/index.ts', outfile: 'dist/programs/index.js' },
    { entry: 'src/server/main.ts', outfile: 'dist/bin/supervisor.js' },
  ],
  sys: [{ entry: 'src/files/index.ts', outfile: 'dist/files/index.js' }],
  trees: [
    { entry: 'src/index.ts', outfile: 'dist/index.js' },
    { entry: 'src/tree-worker.ts', outfile: 'dist/tree-worker.js' },
  ],
}
