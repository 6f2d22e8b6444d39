import { type RunningBroker, startBroker } from '../broker/start-broker.js'
import type { Config } from '../config.js'
import { openEventLogReader } from '../event-log/reader.js'
import { openEventLogWriter } from '../event-log/writer.js'
import { type LogStatus, timestampOf } from '../events/payloads.js'
import type { Clock, EventLogReader, Logger, MessageBus } from '../events/ports.js'
import { type RunningGateway, startGateway } from '../http-gateway/start-gateway.js'
import { openReadModels } from '../projections/open-read-models.js'
import { type RunningProjections, startProjections } from '../projections/start-projections.js'
import { writeServicePassword } from './home.js'

/** The log and the broker in front of it. */
export interface Backbone {
  readonly broker: RunningBroker
  readonly reader: EventLogReader
  readonly logStatus: () => LogStatus
  readonly servicePassword: string
  stop(): Promise<void>
}

export async function startBackbone(config: Config, clock: Clock, logger: Logger): Promise<Backbone> {
  let status: LogStatus = { writable: true, position: 0, reason: null, timestamp: timestampOf(clock.now()) }
  let broker: RunningBroker | undefined
  const log = await openEventLogWriter({
    path: config.eventLogPath,
    clock,
    logger,
    onStatus(changed) {
      status = changed
      broker?.publishLogStatus(changed)
    },
  })
  const reader = openEventLogReader(config.eventLogPath)
  const servicePassword = writeServicePassword(config)
  broker = await startBroker({
    log,
    reader,
    clock,
    logger,
    unit: config.unit,
    host: config.host,
    port: config.mqttPort,
    wsPort: config.mqttWsPort,
    sessionsPath: config.sessionsPath,
    servicePassword,
    mqttUsername: config.mqttUsername,
    mqttPassword: config.mqttPassword,
    recordExclude: config.recordExclude,
  })
  broker.publishLogStatus(status)
  return {
    broker,
    reader,
    logStatus: () => status,
    servicePassword,
    async stop() {
      await broker?.stop()
      reader.close()
      await log.close()
    },
  }
}

export const startReadSide = (config: Config, logger: Logger): Promise<RunningProjections> =>
  startProjections({
    eventLogPath: config.eventLogPath,
    readModelsPath: config.readModelsPath,
    runFilesStatePath: config.runFilesStatePath,
    runsRoot: config.runsRoot,
    logger,
  })

export interface HttpSide {
  readonly gateway: RunningGateway
  stop(): Promise<void>
}

export async function startHttpSide(
  config: Config,
  clock: Clock,
  logger: Logger,
  {
    bus,
    logStatus,
    onUpgrade,
  }: { bus: MessageBus; logStatus: () => LogStatus; onUpgrade?: RunningBroker['handleUpgrade'] },
): Promise<HttpSide> {
  const readModels = await openReadModels({
    readModelsPath: config.readModelsPath,
    runFilesStatePath: config.runFilesStatePath,
  })
  const log = openEventLogReader(config.eventLogPath)
  const gateway = await startGateway({
    unit: config.unit,
    box: config.box,
    boxId: config.boxId,
    boxApiKey: config.boxApiKey,
    unitApiPassword: config.unitApiPassword,
    runsRoot: config.runsRoot,
    hardwareKind: config.hardware,
    clock,
    logger,
    bus,
    readModels,
    log,
    logStatus,
    host: config.host,
    port: config.httpPort,
    ...(onUpgrade === undefined ? {} : { onUpgrade }),
  })
  return {
    gateway,
    async stop() {
      await gateway.stop()
      log.close()
      readModels.close()
    },
  }
}
