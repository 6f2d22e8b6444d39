import type { Duplex } from 'node:stream'
import type { RunningBroker } from '../broker/start-broker.js'
import type { Config } from '../config.js'
import type { Clock, Logger, MessageBus } from '../events/ports.js'
import type { GatewayDeps } from '../http-gateway/context.js'
import type { Doors } from './doors.js'
import { createLateBus } from './late-bus.js'
import { type RunningLog, startHttpSide } from './parts.js'

type ReadSide = NonNullable<GatewayDeps['readSide']>
type Bridge = NonNullable<GatewayDeps['bridge']>

/** The HTTP door, open before there is anything behind it: health answers, and what needs more waits for it or is asked to come again. */
export interface HttpDoor {
  readonly port: number
  /** The log holds the true state. */
  logOpened(log: RunningLog): void
  brokerListens(broker: RunningBroker, bus: MessageBus): void
  /** The projections have caught up with the log. */
  logFolded(by: ReadSide): void
  /** There is a bridge to another broker. */
  bridgeRuns(bridge: Bridge): void
  /** Nothing is still to come. */
  unitIsWhole(): void
  /** May be asked for again. */
  stop(): Promise<void>
}

export async function openHttpDoor(config: Config, clock: Clock, logger: Logger, doors: Doors): Promise<HttpDoor> {
  const late = createLateBus()
  let log: RunningLog | undefined
  let broker: RunningBroker | undefined
  let floor: number | null = null
  let readSide: ReadSide | undefined
  let bridge: Bridge | undefined
  let isStarting = true
  const side = await startHttpSide(
    config,
    clock,
    logger,
    {
      bus: late.bus,
      log: { lastPosition: () => log?.reader.lastPosition() ?? 0 },
      logStatus: () => log?.writer.status() ?? null,
      readSide: { degradations: () => readSide?.degradations() ?? [] },
      bridge: { degradations: () => bridge?.degradations() ?? [] },
      sessionCounts: () => broker?.sessionCounts(),
      floor: () => floor,
      areFilesWritten: () => readSide !== undefined,
      isStarting: () => isStarting,
      onUpgrade(request, socket, head) {
        if (broker === undefined) refuse(socket)
        else broker.handleUpgrade(request, socket, head)
      },
    },
    doors,
  )
  let stopped: Promise<void> | undefined
  return {
    port: side.port,
    logOpened(opened) {
      log = opened
      floor = opened.reader.lastPosition()
    },
    brokerListens(listening, bus) {
      broker = listening
      late.arrived(bus)
    },
    logFolded(by) {
      readSide = by
    },
    bridgeRuns(running) {
      bridge = running
    },
    unitIsWhole() {
      isStarting = false
    },
    stop() {
      stopped ??= side.stop()
      return stopped
    },
  }
}

const refuse = (socket: Duplex): void => {
  socket.end('HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
}
