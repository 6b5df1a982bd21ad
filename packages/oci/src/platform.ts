import { NsboxError, quoted } from '@nsbox/errors'
import * as v from 'valibot'
import { fields, optionalText, shortText, texts } from './field-schema.ts'

/** The platform of an image (OCI image specification, image-index.md), by Go's names, GOOS and GOARCH. */
export interface Platform {
  readonly os: string
  readonly architecture: string
  readonly variant?: string | undefined
  readonly osVersion?: string | undefined
  readonly osFeatures?: readonly string[] | undefined
}

/** The fields of a platform in JSON. Missing ones are empty, as in documents of attestations. */
export const platformFields = {
  os: v.optional(shortText(255), ''),
  architecture: v.optional(shortText(255), ''),
  variant: optionalText(255),
  'os.version': optionalText(255),
  'os.features': v.optional(texts(4096)),
}

export const platformSchema = v.pipe(fields(platformFields), v.transform(platformFrom))

/** A platform with this library's field names. */
export function platformFrom({
  os,
  architecture,
  variant,
  'os.version': osVersion,
  'os.features': osFeatures = [],
}: v.InferOutput<v.ObjectSchema<typeof platformFields, undefined>>): Platform {
  return {
    os,
    architecture,
    ...(variant && { variant }),
    ...(osVersion && { osVersion }),
    ...(osFeatures.length > 0 && { osFeatures }),
  }
}

/** Other spellings of architectures, and the variant that such a spelling implies. */
const architectureAliases: Readonly<Record<string, readonly [string, string?]>> = {
  i386: ['386', ''],
  x86_64: ['amd64'],
  'x86-64': ['amd64'],
  aarch64: ['arm64'],
  armhf: ['arm', 'v7'],
  armel: ['arm', 'v6'],
}

const osAliases: Readonly<Record<string, string>> = { macos: 'darwin' }

/**
 * Normalises the spelling of a platform: lower case, Go's names, and a variant only if it is not the base one (`amd64`
 * for amd64/v1, `arm64` for arm64/v8), except that `arm` always has one, v7 by default.
 */
export function normalizePlatform(platform: Platform): Platform {
  const os = platform.os.toLowerCase()
  const spelled = platform.architecture.toLowerCase()
  const alias = Object.hasOwn(architectureAliases, spelled) ? architectureAliases[spelled] : undefined
  const architecture = alias?.[0] ?? spelled
  const variant = alias?.[1] ?? normalVariant(architecture, platform.variant?.toLowerCase() ?? '')
  const { osVersion, osFeatures } = platform
  return {
    os: Object.hasOwn(osAliases, os) ? (osAliases[os] as string) : os,
    architecture,
    ...(variant && { variant }),
    ...(osVersion && { osVersion }),
    ...(osFeatures && { osFeatures }),
  }
}

function normalVariant(architecture: string, variant: string): string {
  switch (architecture) {
    case 'amd64':
      return variant === 'v1' ? '' : variant
    case 'arm64':
      return variant === '8' || variant === 'v8' || variant === 'v8.0' ? '' : variant
    case 'arm':
      return variant === '' ? 'v7' : /^[5-8]$/.test(variant) ? `v${variant}` : variant
    default:
      return variant
  }
}

const systems = new Set(
  'aix android darwin dragonfly freebsd illumos ios js linux netbsd openbsd plan9 solaris wasip1 windows'.split(
    ' ',
  ),
)
const architectures = new Set(
  '386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x wasm'.split(' '),
)

/**
 * Reads `os/architecture`, `os/architecture/variant`, or only one of `os` and `architecture`, which the default
 * platform completes; `os` may have a version in parentheses. The result is normalised.
 *
 * @throws `invalid_argument`
 */
export function parsePlatform(text: string): Platform {
  const refuse = (why: string): NsboxError =>
    new NsboxError('invalid_argument', `invalid platform ${quoted(text)}: ${why}`)
  if (text.length > 255) throw refuse('longer than 255 characters')
  const match = /^([\w.-]+)(?:\(([\w.-]+)\))?(?:\/([\w.-]+))?(?:\/([\w.-]+))?$/.exec(text)
  if (match === null) throw refuse('not of the form os/architecture[/variant]')
  const [, first = '', osVersion, architecture, variant] = match
  if (architecture !== undefined) return normalizePlatform({ os: first, osVersion, architecture, variant })

  const host = defaultPlatform()
  const { os } = normalizePlatform({ os: first, architecture: '' })
  if (systems.has(os)) return normalizePlatform({ ...host, os, osVersion })
  if (osVersion !== undefined) throw refuse('unknown operating system')
  const guess = normalizePlatform({ os: host.os, architecture: first })
  if (!architectures.has(guess.architecture)) throw refuse('unknown operating system or architecture')
  return guess.architecture === host.architecture && !/^arm(?:hf|el)$/i.test(first) ? host : guess
}

/** `os[(version)]/architecture[/variant]`, which `parsePlatform` reads; features are not shown. */
export function formatPlatform({ os, osVersion, architecture, variant }: Platform): string {
  return `${os}${osVersion ? `(${osVersion})` : ''}/${architecture}${variant ? `/${variant}` : ''}`
}

const nodeArchitectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', mipsel: 'mipsle' }

/**
 * The platform of images and containers where nobody names one, normalised: Linux, on the processor of this machine.
 * Other systems run such images too, in a virtual machine, and few images are made for them.
 */
export function defaultPlatform(): Platform {
  const { arch } = process
  const variables = process.config.variables as { arm_version?: string | number }
  const variant = arch === 'arm' && variables.arm_version ? `v${variables.arm_version}` : undefined
  // Node uses ppc64 for both byte orders.
  const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1
  return normalizePlatform({
    os: 'linux',
    architecture: arch === 'ppc64' && littleEndian ? 'ppc64le' : (nodeArchitectures[arch] ?? arch),
    variant,
  })
}
