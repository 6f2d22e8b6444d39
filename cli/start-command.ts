import { setTimeout as delay } from 'node:timers/promises'
import type { Config, OutputsConfig } from '../config.js'
import { systemEnvironment } from '../environment.js'
import type { Clock, Logger, MessageBus } from '../events/ports.js'
import { serviceEvent } from '../events/system/services.js'
import { createLogger } from '../logger.js'
import { readResult } from '../services/runtime/safe-state-result.js'
import { finishReplacement } from '../services/unit-admin/archive/replace-directory.js'
import { isBenchAlive, shutDownBench } from '../simulation/bench-directory.js'
import { spawnBench } from '../simulation/spawn-bench.js'
import { correctLog, tellAftermath } from './aftermath.js'
import { type Addresses, banner } from './banner.js'
import { readBenchSetup } from './bench-setup.js'
import { startBridgePart } from './bridge-part.js'
import { claimHome, isHeld, refuseIfInUse } from './claims.js'
import type { Command } from './commands.js'
import { requireRoom, roomProblem } from './disk-room.js'
import { openDoors } from './doors.js'
import { clockSettings, makeHome, openClock } from './home.js'
import { openHttpDoor } from './http-door.js'
import { findLauncher, type Launcher } from './launcher.js'
import { makeOutputsSafe } from './make-outputs-safe.js'
import { benchDirectory } from './open-hardware.js'
import { startBrokerSide, startLog, startReadSide } from './parts.js'
import { serviceBus } from './service-bus.js'
import { findServiceManager, type ServiceManager } from './service-manager.js'
import { mainPath } from './services-command.js'
import { servicesEnvironment } from './services-environment.js'
import { endRequested, within } from './signals.js'
import { type Supervised, supervise } from './supervise.js'
import { tellReadModels } from './tell-projections.js'
import { onTerminalStop } from './terminal-stop.js'
import { waitUntil } from './wait-until.js'

/** Ctrl-C leaves within 5 s; what has not ended by then is left to the guardian. */
const STOP_MS = 4500
const SERVICES_STOP_MS = 3000
const HEARTBEAT_TIMEOUT_MS = 2000
/** While the log cannot be written nothing can be published; the next services publish what they find. */
const AFTER_DEATH_MS = 5000
/** Room for objects that live shortly, MiB: V8 takes 16 three times over, a quarter of all the services need. */
const YOUNG_OBJECTS = '--max-semi-space-size=4'
/** Importing and connecting take a second; a loaded single-board computer takes many. */
const SERVICES_START_MS = 60_000

export const startCommand: Command = {
  async run(context) {
    const { outputs, print } = context
    const launcher = findLauncher()
    const end = Promise.race([endRequested(), launcher.gone])
    refuseIfInUse(outputs, 'broker', 'projections')
    await switchOffFirst(outputs)
    const { config } = context
    const logger = createLogger(config.logLevel, 'main')
    try {
      requireRoom(config.home)
      return await runUnit(config, logger, { launcher, systemd: findServiceManager(process.env, logger), end }, print)
    } catch (error) {
      throw roomProblem(config.home, error)
    }
  },
}

/** Before anything that can fail: a unit that cannot start must not stand there heating. Services that live care for their outputs. */
async function switchOffFirst(outputs: OutputsConfig): Promise<void> {
  if (isHeld(outputs, 'services')) return
  if (outputs.hardware === 'simulated' && !(await isBenchAlive(benchDirectory(outputs)))) return
  const failed = await makeOutputsSafe(outputs)
  if (failed !== '') createLogger('error', 'main').error({ reason: failed }, 'outputs are not all off')
}

/** Who started this process, and when it is to end. */
interface Surroundings {
  readonly launcher: Launcher
  readonly systemd: ServiceManager
  readonly end: Promise<unknown>
}

async function runUnit(
  config: Config,
  logger: Logger,
  { launcher, systemd, end }: Surroundings,
  print: (line: string) => void,
): Promise<number> {
  makeHome(config)
  const release = claimHome(config, 'broker', 'projections')
  const parts: Stoppable[] = []
  const ending = new AbortController()
  void end.then(() => ending.abort())
  try {
    finishReplacement(config.dotPioreactor)
    const starting = startUnit(config, logger, parts, { systemd, ending: ending.signal })
    try {
      const addresses = await Promise.race([starting, end.then(() => null)])
      if (addresses !== null) {
        launcher.ready()
        systemd.ready()
        for (const line of banner(config, addresses)) print(line)
      }
      await end
    } catch (error) {
      await stopAll(parts, logger)
      throw error
    }
    launcher.ending()
    systemd.ending()
    print('Stopping: jobs end, outputs go off, the log is flushed.')
    // What was just being started is stopped with the rest.
    const stopping = starting.then(ignore, ignore).then(() => stopAll(parts, logger))
    const stopped = await within(STOP_MS, stopping, false, (error) => logger.error({ err: error }, 'stop failed'))
    return stopped ? 0 : 1
  } finally {
    release()
  }
}

const ignore = (): void => undefined

interface Stoppable {
  readonly name: string
  stop(): Promise<unknown>
}

/** Starts the parts in the order of their dependence, noting each in `parts` so that it is stopped whatever happens next. Goes no further
 * once `ending` is aborted. */
async function startUnit(
  config: Config,
  logger: Logger,
  parts: Stoppable[],
  { systemd, ending }: { readonly systemd: ServiceManager; readonly ending: AbortSignal },
): Promise<Addresses> {
  const add = async <T>(name: string, start: () => Promise<T>, stop: (part: T) => Promise<unknown>): Promise<T> => {
    ending.throwIfAborted()
    const part = await start()
    parts.push({ name, stop: () => stop(part) })
    return part
  }
  const clock = openClock(config)
  const stop = (part: Pick<Stoppable, 'stop'>): Promise<unknown> => part.stop()
  // A certificate that cannot be used is reported before anything is started.
  const doors = await openDoors(config, logger)
  const http = await add('gateway', () => openHttpDoor(config, clock, logger, doors), stop)
  if (config.hardware === 'simulated') {
    await add(
      'bench',
      () => startBench(config, logger),
      () => shutDownBench(benchDirectory(config)),
    )
  }
  const log = await add('log', () => startLog(config, clock, logger), stop)
  await correctLog(config, clock, log)
  http.logOpened(log)
  // Before the broker, so that they end after it and see the last event.
  const readSide = startLater(parts, 'projections', startReadSide(config, logger))
  void readSide.then(http.logFolded, ignore)
  const broker = await add('broker', () => startBrokerSide(config, clock, logger, log, doors), stop)
  const ports: Config = { ...config, mqttPort: broker.port, mqttWsPort: broker.wsPort }
  const connect = serviceBus(ports, logger)
  const bus = await add(
    'gateway bus',
    () => connect({ name: 'gateway' }),
    (opened) => opened.close(),
  )
  http.brokerListens(broker, bus)
  const bridge = await startBridgePart(config, { log, bus, clock, logger, mqttPort: broker.port })
  if (bridge !== null) {
    http.bridgeRuns(bridge)
    // Stopped after the services, whose last words it sends.
    parts.push({ name: 'bridge', stop: () => bridge.stop() })
  }
  parts.push({ name: 'state of the read models', stop: tellReadModels(config, clock, logger, { bus, log, readSide }) })
  // Stopped before what it asks.
  parts.push({ name: 'gateway', stop: http.stop })
  const afterDeath = async (): Promise<void> => {
    const told = within(AFTER_DEATH_MS, tellAftermath({ config, clock, reader: log.reader, bus }), undefined, (error) =>
      logger.error({ err: error }, 'the end of the services could not be published'),
    )
    await Promise.all([told, standInForGuardian(config)])
  }
  const services = await add('services', async () => superviseServices(ports, logger, afterDeath), stop)
  onTerminalStop(async () => {
    await services.halt()
    const failed = await makeOutputsSafe(config)
    if (failed !== '') logger.error({ reason: failed }, 'outputs are not all off')
  }, services.resume)
  systemd.watch(() => services.alive)
  // Whichever of them fails first tells why; the culture need not wait until a long log is folded.
  await unlessAborted(ending, Promise.all([readSide, servicesReady(bus, config, clock)]))
  http.unitIsWhole()
  return { http: http.port, mqtt: ports.mqttPort, webSocket: ports.mqttWsPort }
}

/** A guardian that lives has done its work by then. */
const GUARDIAN_MS = 500

/** Drives the outputs of services that died safe, if their guardian died with them. */
async function standInForGuardian(config: Config): Promise<void> {
  await delay(GUARDIAN_MS)
  if (readResult(config.runDirectory) === null) await makeOutputsSafe(config)
}

/** The work; rejects as soon as the signal is aborted. */
function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  return Promise.race([work, aborted])
}

/** Notes a part that will be up some time later; it is stopped if it was up by then. */
function startLater<T extends Omit<Stoppable, 'name'>>(
  parts: Stoppable[],
  name: string,
  starting: Promise<T>,
): Promise<T> {
  let running: T | undefined
  parts.push({ name, stop: async () => running?.stop() })
  const started = starting.then((part) => {
    running = part
    return part
  })
  // Code that awaits it sees the failure; until then, and without such code, the failure is no defect.
  started.catch(() => undefined)
  return started
}

async function stopAll(parts: readonly Stoppable[], logger: Logger): Promise<boolean> {
  let clean = true
  for (const part of [...parts].reverse()) {
    try {
      await part.stop()
    } catch (error) {
      clean = false
      logger.error({ part: part.name, err: error }, 'part did not stop cleanly')
    }
  }
  return clean
}

/** The bench is a process outside this one's group: like a real one it stays powered when the software dies, and is found again. */
async function startBench(config: Config, logger: Logger): Promise<void> {
  const directory = benchDirectory(config)
  if (await isBenchAlive(directory)) return
  const setup = await readBenchSetup(config).catch((error: unknown) => {
    logger.warn({ err: error }, 'configuration cannot be read: the simulated bench is as the stock one has it')
    return {}
  })
  const options = {
    ...setup,
    directory,
    seed: config.simulationSeed,
    twins: config.instruments,
    ...clockSettings(config),
    logLevel: config.logLevel,
  }
  await spawnBench(options, systemEnvironment(process.env))
}

const superviseServices = (config: Config, logger: Logger, afterDeath: () => Promise<void>): Supervised =>
  supervise({
    name: 'services',
    args: [YOUNG_OBJECTS, ...process.execArgv, mainPath(), 'services'],
    env: servicesEnvironment(config, process.env),
    heartbeatTimeoutMs: HEARTBEAT_TIMEOUT_MS,
    startTimeoutMs: SERVICES_START_MS,
    stopTimeoutMs: SERVICES_STOP_MS,
    afterDeath,
    logger,
  })

/** Waits until the services of this start say that they are ready; a state retained from an earlier life does not count. */
async function servicesReady(bus: MessageBus, config: Config, clock: Clock): Promise<void> {
  const since = clock.now().toISOString()
  let ready = false
  const unsubscribe = await bus.subscribe(serviceEvent.topic({ unit: config.unit }), ({ payload }) => {
    const { state, timestamp } = serviceEvent.parse(payload.toString())
    ready ||= state === 'ready' && timestamp !== null && timestamp >= since
  })
  await waitUntil(() => ready, SERVICES_START_MS, 'the services to be ready')
  await unsubscribe()
}
