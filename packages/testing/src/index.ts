export { bundleSources } from './bundle-sources.ts'
export { type BusyboxArchive, busyboxArchive } from './busybox-archive.ts'
export { busyboxRootfs, type RootfsMount } from './busybox-rootfs.ts'
export { cgroupsNamed, removeCgroup } from './cgroups.ts'
export { compareTrees, type TreeEntry } from './compare-trees.ts'
export { type Containerd, collectsWhenAsked, startContainerd, stockCtr } from './containerd.ts'
export { buildCorpus, buildOddImage, type Corpus } from './corpus.ts'
export type { ExitStatus } from './exit-status.ts'
export {
  type Fault,
  type FaultReply,
  type FaultRequest,
  type FaultServer,
  startFaultServer,
} from './fault-server.ts'
export { type FaultyRun, type FaultyRuns, faultsEverywhere } from './faults-everywhere.ts'
export { type FencedBlock, fencedBlocks } from './fenced-blocks.ts'
export { fetchedOnce } from './fetched-once.ts'
export { buildGoProgram, goEnvironment } from './go-program.ts'
export { goSources } from './go-sources.ts'
export { type ArchiveLayer, busyboxLayer, filesLayer, type ImageLayer, randomLayer } from './image-layer.ts'
export {
  type BuiltImage,
  type BuiltManifest,
  buildImage,
  hostPlatform,
  type ImageSpec,
  type TestDescriptor,
  type TestPlatform,
} from './image-layout.ts'
export { type LeakScope, type LeakWatch, watchLeaks } from './leaks.ts'
export { type Needs, needs } from './needs.ts'
export { makeOddTree } from './odd-tree.ts'
export { type PushedImage, type PushImageOptions, pushImage } from './push-image.ts'
export { gnuLongName, paxHeader, type RawHeader, rawEntry, rawTar } from './raw-tar.ts'
export { type FifoReader, readFifo } from './read-fifo.ts'
export { type ReadTreeOptions, readTree } from './read-tree.ts'
export { readmeExample } from './readme-example.ts'
export {
  type Registry,
  type RegistryCredentials,
  type StartRegistryOptions,
  startRegistry,
} from './registry.ts'
export type { AccessLogEntry } from './registry-access-log.ts'
export { type RunOptions, type RunResult, run, runOrThrow } from './run.ts'
export { type RunningProcess, type StartProcessOptions, startProcess } from './running-process.ts'
export { scratchMount } from './scratch-mount.ts'
export { seededBytes } from './seeded-bytes.ts'
export { type Trace, traceProcess, traceRun } from './strace.ts'
export { parseStrace, type SystemCall } from './strace-output.ts'
export { type SizedContent, type TarEntry, tar } from './tar.ts'
export { type TempDir, tempDir } from './temp-dir.ts'
export { type StartTerminalOptions, TestTerminal } from './terminal.ts'
export {
  type Certificate,
  makeCertificate,
  startTlsFront,
  type TlsFront,
  type TlsFrontOptions,
} from './tls-front.ts'
export { turnsOf } from './turns-of.ts'
export { type ReadEntry, untar } from './untar.ts'
