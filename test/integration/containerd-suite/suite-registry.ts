import { readFile } from 'node:fs/promises'
import {
  type Certificate,
  makeCertificate,
  startRegistry,
  startTlsFront,
  type TlsFront,
  tempDir,
} from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import type { PrivateHost } from '../documents/private-host.ts'
import { pushSuiteImages } from './suite-images.ts'

/** Names of the registries that the suite pulls from. */
export const suiteRegistries = ['ghcr.io', 'mcr.microsoft.com', 'registry.k8s.io']

/** A registry with what the suite pulls, made here. */
export interface SuiteRegistry extends AsyncDisposable {
  /** In PEM. */
  readonly authority: string
  /** Lets programs of a private host find it by the names of `suiteRegistries`, over TLS. */
  serve(host: PrivateHost): Promise<TlsFront>
}

export async function openSuiteRegistry(): Promise<SuiteRegistry> {
  await using opening = new AsyncDisposableStack()
  const scratch = opening.use(await tempDir('nsbox-registry-names')).path
  const certificate: Certificate = await makeCertificate(scratch, suiteRegistries)
  const registry = opening.use(await startRegistry())
  await pushSuiteImages(registry, scratch)
  const owned = opening.move()
  return {
    authority: await readFile(certificate.cert, 'utf8'),
    serve: async (host) => startTlsFront(registry.host, certificate, { listener: await host.listen(443) }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
