import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  buildImage,
  busyboxLayer,
  type Certificate,
  filesLayer,
  makeCertificate,
  pushImage,
  startRegistry,
  startTlsFront,
  type TlsFront,
  tempDir,
} from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import type { PrivateHost } from './private-host.ts'

/** The registry of the documents that lets in only who has a password. */
const guardedName = 'registry.example.com'
const auth = { user: 'alice', password: 'secret' }

/** Names by which the documents and their programs call registries: Docker Hub's among them. */
export const registryNames = ['registry-1.docker.io', 'docker.io', 'mirror.example.com', guardedName]

/** Registries with the images of the documents, which stand for public ones. */
export interface DocumentRegistries extends AsyncDisposable {
  /** In PEM. */
  readonly authority: string
  /** Lets programs of a private host find them by their names, over TLS. */
  serve(host: PrivateHost): Promise<TlsFront>
}

export async function openDocumentRegistries(): Promise<DocumentRegistries> {
  await using opening = new AsyncDisposableStack()
  const scratch = opening.use(await tempDir('nsbox-registries')).path
  const certificate: Certificate = await makeCertificate(scratch, registryNames)
  const hub = opening.use(await startRegistry())
  const guarded = opening.use(await startRegistry({ auth }))
  const config = { Env: ['PATH=/bin'], Cmd: ['sh'] }
  const layers = [await busyboxLayer(), filesLayer({ 'etc/motd': 'hello\n' })]
  const busybox = await buildImage(join(scratch, 'busybox'), { layers, config })
  const redis = await buildImage(join(scratch, 'redis'), { layers: [filesLayer({ redis: 'data' })], config })
  await pushImage(busybox, hub, 'library/busybox:latest')
  await pushImage(redis, hub, 'library/redis:latest')
  await pushImage(busybox, guarded, 'team/app:1')
  const owned = opening.move()
  return {
    authority: await readFile(certificate.cert, 'utf8'),
    async serve(host) {
      const behind = (named: string) => (named === guardedName ? guarded.host : hub.host)
      return startTlsFront(hub.host, certificate, { behind, listener: await host.listen(443) })
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
