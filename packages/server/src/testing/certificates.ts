import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runOrThrow } from '@nsbox/testing'

/** Files of a certificate and its key, in PEM, and its content. */
export interface Issued {
  readonly certificate: string
  readonly key: string
  readonly cert: string
  readonly privateKey: string
}

/** The content of a certificate. */
export interface Wish {
  /** Common name. */
  readonly name: string
  /** Other names in OpenSSL's syntax, such as `IP:127.0.0.1`. */
  readonly others?: string
  readonly expired?: boolean
}

const openssl = (directory: string, ...args: string[]) => runOrThrow('openssl', args, { cwd: directory })

/** Makes an authority of certificates in a directory, by the program `openssl`. */
export async function makeAuthority(directory: string, name: string): Promise<Issued> {
  await openssl(
    directory,
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...['-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.crt`],
  )
  return await issued(directory, name)
}

/** Lets an authority issue a certificate. @param file name of its files */
export async function issue(
  directory: string,
  authority: string,
  file: string,
  { name, others = '', expired = false }: Wish,
): Promise<Issued> {
  await openssl(
    directory,
    ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-subj', `/CN=${name}`, '-keyout', `${file}.key`, '-out', `${file}.csr`],
  )
  await writeFile(join(directory, `${file}.ext`), others === '' ? '' : `subjectAltName=${others}\n`)
  const time = expired ? ['-not_before', '20200101000000Z', '-not_after', '20200102000000Z'] : ['-days', '2']
  await openssl(
    directory,
    ...['x509', '-req', '-in', `${file}.csr`, '-CA', `${authority}.crt`, '-CAkey', `${authority}.key`],
    ...['-extfile', `${file}.ext`, '-out', `${file}.crt`, ...time],
  )
  return await issued(directory, file)
}

async function issued(directory: string, file: string): Promise<Issued> {
  const [certificate, key] = [join(directory, `${file}.crt`), join(directory, `${file}.key`)]
  await chmod(key, 0o600)
  const [cert, privateKey] = await Promise.all([certificate, key].map((path) => readFile(path, 'utf8')))
  return { certificate, key, cert: cert!, privateKey: privateKey! }
}
