import { connect } from 'node:net'
import { createAttempts } from '../../../doors/attempts.js'
import { HTTP_LIMITS } from '../../../doors/http-server.js'
import type { CommandDefinition } from '../../../events/core/define-command.js'
import { LabError, toErrorRecord } from '../../../events/core/errors.js'
import type { LogStatus } from '../../../events/system/log-status.js'
import { outcomeEvent } from '../../../events/system/outcomes.js'
import type { ServiceRecord } from '../../../events/system/services.js'
import type { GatewayDeps } from '../../../http-gateway/context.js'
import type { Endpoint } from '../../../http-gateway/framework/endpoint.js'
import { startGateway } from '../../../http-gateway/start-gateway.js'
import { catalogue } from '../../../instruments.js'
import { FakeClock } from '../../support/fake-clock.js'
import { MemoryBroker } from '../../support/memory-bus.js'
import { rawRequest } from '../../support/raw-request.js'
import { recordingLogger } from '../../support/recording-logger.js'
import { expectAsDeclared } from './as-declared.js'
import { services as serviceState } from './given-jobs.js'
import { openGivenLog } from './given-log.js'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The parsed body; undefined when it is not JSON. */
  readonly json: unknown
}

/** The whole gateway on a free port, over read models folded from the events a test gives; the services are ready. */
export async function startTestGateway(
  overrides: Partial<GatewayDeps> = {},
  limits = HTTP_LIMITS,
  endpoints?: readonly Endpoint[],
) {
  const clock = new FakeClock()
  const broker = new MemoryBroker()
  const logger = recordingLogger()
  const { log, readModels, fold, given, givenRun, close } = openGivenLog()
  const status: { value: LogStatus | null } = { value: null }
  const deps: GatewayDeps = {
    unit: 'u1',
    box: 'box1',
    boxId: 'box1',
    build: '',
    devicesShape: 'list',
    boxApiKey: '',
    unitApiPassword: '',
    isOwnHost: (name) => name === '127.0.0.1' || name === 'u1.local',
    attempts: createAttempts(),
    runsRoot: '/nonexistent',
    spoolDirectory: '/nonexistent',
    dotPioreactor: '/nonexistent',
    privatePaths: [],
    unitConfigPath: '/nonexistent',
    configSecretsPath: '/nonexistent',
    clock,
    logger,
    bus: broker.connect(),
    readModels,
    log,
    logStatus: () => status.value,
    floor: () => 0,
    areFilesWritten: () => true,
    isStarting: () => false,
    hardwareKind: 'simulated',
    catalogue,
    startedAt: clock.now(),
    ...overrides,
  }
  const services = broker.connect()
  const say = async (state: ServiceRecord['state']): Promise<void> => {
    const record = serviceState(state)
    given(record)
    await services.publish(record.topic, JSON.stringify(record.payload), { retain: true })
  }
  await say('ready')
  const gateway = await startGateway({ deps, endpoints, host: '127.0.0.1', port: 0, limits })
  broker.published.length = 0
  const base = `http://127.0.0.1:${gateway.port}`

  /** Answers every order of that command as a service would; returns the orders seen. */
  async function serve<Order, Result>(
    command: CommandDefinition<Order, Result>,
    handler: (order: Order) => Result,
  ): Promise<Record<string, unknown>[]> {
    const orders: Record<string, unknown>[] = []
    await services.subscribe(command.topic({ unit: 'u1' }), ({ payload }) => {
      const text = payload.toString()
      const order = JSON.parse(text) as Record<string, unknown>
      orders.push(order)
      const timestamp = clock.now().toISOString()
      let outcome: Record<string, unknown>
      try {
        outcome = { accepted: true, result: handler(command.parse(text)) }
      } catch (error) {
        if (!(error instanceof LabError)) throw error
        outcome = { accepted: false, error: toErrorRecord(error) }
      }
      void services.publish(
        outcomeEvent.topic({ unit: 'u1', id: String(order['id']) }),
        JSON.stringify({ id: order['id'], timestamp, ...outcome }),
      )
    })
    return orders
  }

  async function send(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await fetch(base + path, {
      method,
      redirect: 'manual',
      headers,
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const answer = answerOf(response.status, response.headers, await response.text())
    expectAsDeclared(method, path, answer.status, answer.json)
    return answer
  }

  return {
    ...{ base, deps, port: gateway.port, broker, clock, readModels, lines: logger.lines, log, status, serve, send },
    ...{ fold, given, givenRun },
    /** The services say how they are. */
    say,
    get: (path: string, headers: Record<string, string> = {}) => send('GET', path, undefined, headers),
    /** Sends path and headers exactly as given, which `fetch` would not. */
    raw: async (path: string, headers: Record<string, string> = {}) => {
      const { status, headers: received, text } = await rawRequest(base, path, headers)
      return answerOf(status, received, text)
    },
    server: gateway.server,
    async stop() {
      await gateway.stop()
      close()
    },
  }
}

/** Status and error code of an answer. */
export const codeOf = ({ status, json }: Answer): unknown[] => [status, (json as { code?: string }).code]

export type TestGateway = Awaited<ReturnType<typeof startTestGateway>>

function answerOf(status: number, headers: Headers, text: string): Answer {
  try {
    return { status, headers, text, json: JSON.parse(text) }
  } catch {
    return { status, headers, text, json: undefined }
  }
}

/** Bytes over a bare socket until the server closes it. */
export function rawSocket(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()))
    socket.on('error', reject)
  })
}
