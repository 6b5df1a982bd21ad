import { setFlagsFromString } from 'node:v8'
import { isNsboxError } from '@nsbox/errors'
import { joinCgroup } from '@nsbox/supervisor'
import { type ConfigurationSources, readConfiguration } from './configuration/read-configuration.ts'
import { reloader } from './configuration/reload.ts'
import { createLog } from './log/create-log.ts'
import { garbageCollector } from './rpc/collect-garbage.ts'
import { SignalWatch } from './signals/signal-watch.ts'
import { startServer } from './start.ts'
import { inheritedSocket } from './systemd/inherited-socket.ts'
import { ServiceManager } from './systemd/service-manager.ts'
import { registerSdk } from './tracing/register-sdk.ts'
import { useUserNamespace } from './user-namespace.ts'

/**
 * Runs a server as a program: until SIGTERM, SIGINT or SIGQUIT, which end it in an orderly way. A second one of these
 * ends it at once. SIGHUP reloads what can be reloaded; other signals do nothing. If the start fails, it prints one
 * line on standard error and exits with 1.
 */
export async function runServer(sources: ConfigurationSources): Promise<void> {
  // Modes are set explicitly everywhere; the umask is a second line of defence.
  process.umask(0o077)
  try {
    const running = await readConfiguration(sources)
    const lacking = useUserNamespace(running.state)
    const { logLevel: level, logFormat: format, cgroupPath, ...config } = running
    using manager = new ServiceManager()
    const inherited = inheritedSocket()
    // Before anything is started that is to be there as well.
    if (cgroupPath !== undefined) joinCgroup(cgroupPath, { make: true })
    const log = createLog({ level, format })
    if (lacking !== undefined) log.warn(lacking)
    let reload = async () => {}
    const signals = new SignalWatch({ onReload: () => void reload(), log })
    {
      // The last spans are of the server's end.
      await using _sdk = await registerSdk({
        env: process.env,
        warn: (message, err) => log.warn({ err }, message),
      })
      await using server = await startServer(
        { ...config, ...(inherited && { address: inherited.path, socket: inherited.fd }) },
        { log, collectGarbage: garbageCollector() },
      )
      reload = reloader({ sources, running, server, manager, log })
      keepYoungGenerationSmall()
      manager.ready('Serving', log)
      const signal = await signals.first
      manager.stopping()
      log.info({ signal }, 'stopping')
    }
    log.info('stopped')
    // Exit even if something keeps the process alive: the root has been released.
    process.exit(0)
  } catch (error) {
    const text = isNsboxError(error) ? error.message : error instanceof Error ? error.stack : String(error)
    process.stderr.write(`nsbox-server: ${text}\n`)
    process.exit(1)
  }
}

/**
 * Keeps V8's young generation at the size it has after the start, about 8 MB instead of up to 48, until a thread
 * starts, with which V8 takes it back: a server's garbage is short-lived either way. With fifty containers that do
 * nothing, a server that has not pulled since its start has 23 MB less.
 */
function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}
