import type { AbortOptions } from '@nsbox/concurrency'
import type { Descriptor, Platform } from '@nsbox/oci'
import type { Labels } from '../labels/labels.ts'
import type { CredentialSource } from './credentials.ts'

/** An image on a registry. */
export interface RegistryEndpoint {
  readonly kind: 'registry'
  readonly reference: string
  /** Headers to send with every request to the registry. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Directory of `hosts.toml` files. */
  readonly hostsDir?: string | undefined
  /** Scheme for hosts that are not configured; `http` is plain http on request. */
  readonly defaultScheme?: 'http' | 'https' | undefined
  readonly credentials?: CredentialSource | undefined
  /** What to tell of the requests; nothing by default. */
  readonly requestLog?: RequestLog | undefined
}

/** What to tell of requests to a registry, without their secrets, and whom. */
export interface RequestLog {
  /** Heads of requests and answers, and documents in them. */
  readonly dump: boolean
  /** A line for each request. */
  readonly trace: boolean
  /** Takes text with line ends; must not throw. */
  readonly tell: (text: string) => void
}

/** An image in the image store. */
export interface ImageEndpoint {
  readonly kind: 'image'
  readonly name: string
  readonly labels?: Labels | undefined
  /** Platforms to take; all of them if absent or empty. */
  readonly platforms?: readonly Platform[] | undefined
  /** Take the manifests and configs of all platforms, but layers only of the chosen ones. */
  readonly allMetadata?: boolean | undefined
  /** Most manifests to take of an index, those for the platforms first; no limit by default. */
  readonly manifestLimit?: number | undefined
  /** Where to unpack the image, and for which platforms; not at all by default. */
  readonly unpacks?: readonly UnpackTarget[] | undefined
  /**
   * Further names. At a pull, a tag or an import, whole names are names of all that is taken, at an import of the
   * archive’s index; prefixes make names for the images of an archive. At an export each stands for further images.
   * `name` may be empty then.
   */
  readonly references?: readonly ImageReference[] | undefined
}

/** A name, or the prefix of names; not empty. */
export interface ImageReference {
  readonly name: string
  /**
   * Whether `name` is a prefix: with `foo/bar`, the tag `v1` becomes the image `foo/bar:v1`, and an export takes all
   * images whose names continue `foo/bar` with `/`, `:` or `@`. False by default.
   */
  readonly isPrefix?: boolean | undefined
  /** With a prefix: take images with other names as well; not by default. */
  readonly allowOverwrite?: boolean | undefined
  /**
   * With a prefix: name images `<name>@<digest>` as well, and export those with such names; not by default. With a
   * whole name: add the digest to it.
   */
  readonly addDigest?: boolean | undefined
  /** With a prefix and `addDigest`: skip images that have another of its names; not by default. */
  readonly skipNamedDigest?: boolean | undefined
}

/** An archive to import: a tar, which may be compressed, of an image layout or of `docker save`. */
export interface ArchiveSource {
  readonly kind: 'archive source'
  /** The archive, read once. */
  readonly bytes: AsyncIterable<Uint8Array>
  /** Compress layers of a Docker archive that are not compressed; not by default. */
  readonly compressBlobs?: boolean | undefined
}

/** The target of an export: a tar that is an image layout and can be loaded by Docker. */
export interface ArchiveSink {
  readonly kind: 'archive sink'
  /** Receives the archive; called once. If `bytes` fails, the archive is incomplete. */
  readonly take: (bytes: AsyncIterable<Uint8Array>, options: AbortOptions) => Promise<void>
  /** Platforms to export; all of them if absent or empty. */
  readonly platforms?: readonly Platform[] | undefined
  /** Leave out what only Docker needs; not by default. */
  readonly skipDockerManifest?: boolean | undefined
  /** Leave out layers that may not be distributed; not by default. */
  readonly skipNonDistributable?: boolean | undefined
}

/** Where to unpack an image. */
export interface UnpackTarget {
  /** The platform to unpack for; that of the server by default. */
  readonly platform?: Platform | undefined
  /** Name of the snapshotter; the server's own choice by default. */
  readonly snapshotter?: string | undefined
}

export type TransferEndpoint = RegistryEndpoint | ImageEndpoint
export type TransferSource = TransferEndpoint | ArchiveSource
export type TransferDestination = TransferEndpoint | ArchiveSink

/** One step of a transfer; names form a tree through `parents`. */
export interface TransferProgress {
  /**
   * A line about the whole transfer (`Resolving from OCI Registry (<reference>)`, `Completed import`, …) or the state
   * of one object: `waiting`, `downloading`, `uploading`, `already exists`, `complete`, `extracting`, `extracted`; of
   * an image `fetching image content`, `pushing content`, `pushed content`, `saved`.
   */
  readonly event: string
  /**
   * The object by its ingest ref, such as `layer-sha256:3f2a…`; the image by its name; empty for the whole transfer.
   */
  readonly name: string
  readonly parents: readonly string[]
  /** Bytes done and to do; 0 where that has no meaning. */
  readonly progress: number
  readonly total: number
  readonly descriptor?: Descriptor | undefined
}

/** Receives progress; must not throw. */
export type ProgressListener = (progress: TransferProgress) => void

/** Moves images between places. */
export interface Transferrer {
  /**
   * Registry → image is a pull, image → registry a push, image → image a tag, after unpacking it where the destination
   * says so, archive → image an import, image → archive an export. Archive → archive copies the bytes. Registry →
   * registry copies an image without making one here; a server may not have that.
   * @throws `unimplemented` for any other pair; the errors of registries and stores
   */
  transfer(
    source: TransferSource,
    destination: TransferDestination,
    options?: { readonly onProgress?: ProgressListener | undefined } & AbortOptions,
  ): Promise<void>
}
