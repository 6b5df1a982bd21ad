import { isErrno } from '@nsbox/errors'
import { hasSdk } from './open-telemetry.ts'

/** Variables of which one, if it is set, asks for traces; the SDK reads them, and many more. */
const asking = ['OTEL_TRACES_EXPORTER', 'OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']

const sdkPackage = '@opentelemetry/sdk-node'

/** Milliseconds for the last spans to reach the collector. */
const shutdownTimeout = 3000

/** What is needed of the SDK. */
interface Sdk {
  start(): void
  shutdown(): Promise<void>
}

/** What is needed of the SDK's package. */
interface SdkModule {
  readonly NodeSDK: new (options: object) => Sdk
}

/** How to register. */
export interface RegisterSdkOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly warn: (message: string, error?: unknown) => void
  /** Loads a package that may be missing. */
  readonly load?: (name: string) => Promise<unknown>
}

/**
 * Registers the SDK of OpenTelemetry if a variable asks for traces and no SDK is there yet, as by
 * `NODE_OPTIONS=--import`. The SDK is not a dependency: without it the server warns, and serves without traces.
 *
 * @returns sends the last spans when it is disposed of, for three seconds at most
 */
export async function registerSdk({
  env,
  warn,
  load = loaded,
}: RegisterSdkOptions): Promise<AsyncDisposable> {
  const asked = asking.find((name) => env[name])
  if (asked === undefined || isOff(env) || hasSdk()) return nothing
  let sdk: Sdk
  try {
    const { NodeSDK } = (await load(sdkPackage)) as SdkModule
    // Its metrics and logs are not ours; requests to registries are not told of the trace.
    sdk = new NodeSDK({
      serviceName: env.OTEL_SERVICE_NAME || 'nsbox-server',
      ...{ metricReaders: [], logRecordProcessors: [], instrumentations: [] },
    })
    sdk.start()
  } catch (error) {
    if (isErrno(error, 'ERR_MODULE_NOT_FOUND'))
      warn(`${asked} is set, but there are no traces without ${sdkPackage}: npm install ${sdkPackage}`)
    else warn('there are no traces, since the SDK of OpenTelemetry does not start', error)
    return nothing
  }
  return {
    async [Symbol.asyncDispose]() {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, shutdownTimeout)
      })
      await Promise.race([late, sdk.shutdown()]).catch((error) => warn('sending the last spans', error))
      clearTimeout(timer)
    },
  }
}

const nothing: AsyncDisposable = { async [Symbol.asyncDispose]() {} }

function isOff({
  OTEL_SDK_DISABLED: disabled,
  OTEL_TRACES_EXPORTER: exporter,
}: RegisterSdkOptions['env']): boolean {
  return disabled?.toLowerCase() === 'true' || exporter === 'none'
}

async function loaded(name: string): Promise<unknown> {
  // The name is not a literal, so that no bundle takes it in.
  return await import(name)
}
