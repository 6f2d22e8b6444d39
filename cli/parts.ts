import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type RunningBroker, startBroker } from '../broker/start-broker.js'
import type { Config } from '../config.js'
import { openEventLogReader, type PagingEventLogReader } from '../event-log/reader.js'
import { type OwnedEventLogWriter, openEventLogWriter } from '../event-log/writer.js'
import type { Clock, Logger } from '../events/ports.js'
import type { GatewayDeps } from '../http-gateway/context.js'
import { type GatewayOptions, startGateway } from '../http-gateway/start-gateway.js'
import { catalogue, instruments } from '../instruments.js'
import { openReadModels } from '../projections/read-models.js'
import { type RunningProjections, startProjections } from '../projections/start-projections.js'
import type { Instrument } from '../services/runtime/instrument.js'
import type { Doors } from './doors.js'
import { writeServicePassword } from './home.js'
import { portProblem } from './port-problem.js'

/** The event log with one reader on the side of the broker. */
export interface RunningLog {
  readonly writer: OwnedEventLogWriter
  readonly reader: PagingEventLogReader
  stop(): Promise<void>
}

export async function startLog(config: Config, clock: Clock, logger: Logger): Promise<RunningLog> {
  const writer = await openEventLogWriter({ path: config.eventLogPath, clock, logger })
  const reader = openEventLogReader(config.eventLogPath)
  return {
    writer,
    reader,
    async stop() {
      reader.close()
      await writer.close()
    },
  }
}

/** @param listed whose topics are ours; those of the product by default. */
export function startBrokerSide(
  config: Config,
  clock: Clock,
  logger: Logger,
  { writer, reader }: RunningLog,
  doors: Doors,
  listed: readonly Pick<Instrument, 'topics'>[] = instruments,
): Promise<RunningBroker> {
  return startBroker({
    log: writer,
    reader,
    clock,
    logger,
    unit: config.unit,
    names: [config.unit, config.box],
    host: config.host,
    ...doors,
    port: config.mqttPort,
    wsPort: config.mqttWsPort,
    sessionsPath: config.sessionsPath,
    socketPath: config.brokerSocketPath,
    servicePassword: writeServicePassword(config),
    mqttUsername: config.mqttUsername,
    mqttPassword: config.mqttPassword,
    leaderPassword: config.mqttLeaderPassword,
    workerPassword: config.mqttWorkerPassword,
    topics: listed.map(({ topics }) => topics),
    recordExclude: config.recordExclude,
  }).catch((error: unknown) => {
    throw portProblem(config, error)
  })
}

const PROJECTIONS_RESTART_MS = 1000

/** Starts the projections and starts them again when a thread of theirs ends: recording goes on without them meanwhile. */
export async function startReadSide(
  config: Config,
  logger: Logger,
): Promise<Pick<RunningProjections, 'stop' | 'degradations'>> {
  let stopped = false
  let current = await start()

  async function start(): Promise<RunningProjections> {
    const running = await startProjections({
      eventLogPath: config.eventLogPath,
      readModelsPath: config.readModelsPath,
      runFilesStatePath: config.runFilesStatePath,
      runsRoot: config.runsRoot,
      logger,
    })
    running.failed.catch(() => {
      if (!stopped) void restart(running)
    })
    return running
  }

  async function restart(failed: RunningProjections): Promise<void> {
    await failed.stop()
    while (!stopped) {
      await delay(PROJECTIONS_RESTART_MS)
      try {
        current = await start()
        return
      } catch (error) {
        logger.error({ err: error }, 'projections do not start')
      }
    }
  }

  return {
    degradations: () => current.degradations(),
    stop() {
      stopped = true
      return current.stop()
    },
  }
}

export interface HttpSide {
  readonly port: number
  stop(): Promise<void>
}

/** What the gateway asks of the other parts. */
type GatewayParts = Pick<
  GatewayDeps,
  'bus' | 'log' | 'logStatus' | 'floor' | 'readSide' | 'bridge' | 'sessionCounts' | 'areFilesWritten' | 'isStarting'
> &
  Pick<GatewayOptions, 'onUpgrade'>

/** What is never shown, even where it lies in the data directory of the unit. */
const privatePathsOf = ({ home, nasConfigPath, tls, bridgeKey }: Config): readonly string[] =>
  [home, nasConfigPath, ...Object.values(tls ?? {}), bridgeKey].filter((path) => path !== '')

export async function startHttpSide(
  config: Config,
  clock: Clock,
  logger: Logger,
  { onUpgrade, ...parts }: GatewayParts,
  { tls, ...admission }: Doors,
): Promise<HttpSide> {
  const readModels = openReadModels({
    readModelsPath: config.readModelsPath,
    runFilesStatePath: config.runFilesStatePath,
  })
  const {
    unit,
    box,
    boxId,
    build,
    boxDevices: devicesShape,
    boxApiKey,
    unitApiPassword,
    runsRoot,
    spoolDirectory,
    configSecretsPath,
    dotPioreactor,
    hardware: hardwareKind,
  } = config
  const secrets = { boxApiKey, unitApiPassword }
  const unitConfigPath = join(dotPioreactor, 'unit_config.ini')
  const privatePaths = privatePathsOf(config)
  const files = { runsRoot, spoolDirectory, dotPioreactor, privatePaths, unitConfigPath, configSecretsPath }
  const place = { unit, box, boxId, build, devicesShape, hardwareKind, ...files }
  const gateway = await startGateway({
    deps: {
      ...place,
      ...secrets,
      ...admission,
      catalogue,
      ...parts,
      clock,
      logger,
      readModels,
      startedAt: clock.now(),
    },
    host: config.host,
    tls,
    port: config.httpPort,
    ...(onUpgrade === undefined ? {} : { onUpgrade }),
  }).catch((error: unknown) => {
    readModels.close()
    throw portProblem(config, error)
  })
  return {
    port: gateway.port,
    async stop() {
      await gateway.stop()
      readModels.close()
    },
  }
}
