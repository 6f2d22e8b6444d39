import { openEventLogReader } from '../event-log/reader.js'
import { type LogStatus, logStatusEvent } from '../events/system/log-status.js'
import { createLogger } from '../logger.js'
import { correctLog } from './aftermath.js'
import { claimHome } from './claims.js'
import type { Command } from './commands.js'
import { openDoors } from './doors.js'
import { makeHome, openClock } from './home.js'
import { startBrokerSide, startHttpSide, startLog, startReadSide } from './parts.js'
import { serviceBus } from './service-bus.js'
import { endRequested } from './signals.js'

export const brokerCommand: Command = {
  async run({ config, print }) {
    makeHome(config)
    const release = claimHome(config, 'broker')
    try {
      const end = endRequested()
      const clock = openClock(config)
      const logger = createLogger(config.logLevel, 'broker')
      const log = await startLog(config, clock, logger)
      await correctLog(config, clock, log)
      const broker = await startBrokerSide(config, clock, logger, log, await openDoors(config, logger))
      print(`MQTT on port ${broker.port}, over WebSocket on ${broker.wsPort}.`)
      await end
      await broker.stop()
      await log.stop()
      return 0
    } finally {
      release()
    }
  },
}

export const projectionsCommand: Command = {
  async run({ config, print }) {
    makeHome(config)
    const release = claimHome(config, 'projections')
    try {
      const end = endRequested()
      const running = await startReadSide(config, createLogger(config.logLevel, 'projections'))
      print('Read models are up to date and follow the log.')
      await end
      await running.stop()
      return 0
    } finally {
      release()
    }
  },
}

export const gatewayCommand: Command = {
  async run({ config, print }) {
    makeHome(config)
    const end = endRequested()
    const logger = createLogger(config.logLevel, 'gateway')
    const clock = openClock(config)
    const bus = await serviceBus(config, logger)({ name: 'gateway' })
    let status: LogStatus | null = null
    await bus.subscribe(logStatusEvent.filter(), ({ payload }) => {
      status = logStatusEvent.parse(payload.toString())
    })
    const log = openEventLogReader(config.eventLogPath)
    const floor = log.lastPosition()
    const parts = { bus, log, logStatus: () => status, floor: () => floor }
    // Others start what is still to come, if they do.
    const gateway = { ...parts, areFilesWritten: () => true, isStarting: () => false }
    const http = await startHttpSide(config, clock, logger, gateway, await openDoors(config, logger))
    print(`REST on port ${http.port}.`)
    await end
    await http.stop()
    log.close()
    await bus.close()
    return 0
  },
}
