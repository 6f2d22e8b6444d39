/** A services process whose pump throws where nobody catches it: node stray-error-process.js timer | promise | message | nobody. Prints why the
 * pump failed and how the other part is then. */
import { createClock } from '../../clock.js'
import { failOwner } from '../../services/runtime/containment.js'
import type { Service } from '../../services/runtime/service.js'
import { startServices } from '../../services/runtime/start-services.js'
import { MemoryBroker } from './memory-bus.js'
import { silentLogger } from './silent-logger.js'
import { until } from './until.js'

const kind = process.argv[2] ?? ''
process.on('uncaughtException', (error) => {
  if (!failOwner(error)) throw error
})

const idle = (name: string): Service => ({
  name,
  commands: [],
  suspend: async () => undefined,
  resume: async () => undefined,
  stop: async () => undefined,
})
const stray = (): never => {
  throw new Error('stray')
}

const broker = new MemoryBroker()
const bus = broker.connect()
await startServices(
  {
    unit: 'u1',
    box: 'u1',
    clock: createClock(),
    logger: silentLogger,
    hardwareKind: 'simulated',
    dotPioreactor: '/nowhere',
    bus,
    connectBus: async () => broker.connect(),
  },
  [
    { name: 'healthy', commands: [], start: async () => idle('healthy') },
    {
      name: 'pump',
      commands: [],
      async start({ bus: own }) {
        if (kind === 'timer') setTimeout(stray, 10)
        if (kind === 'promise') void Promise.resolve().then(stray)
        // The message comes on the connection that all parts share.
        await own.subscribe('pump/go', () => void Promise.resolve().then(stray))
        return idle('pump')
      },
    },
  ],
)
if (kind === 'message') await bus.publish('pump/go', 'now')
if (kind === 'nobody') setTimeout(stray, 10)
const records = (name: string) =>
  broker
    .payloads(`system/u1/services/${name}`)
    .map((text) => JSON.parse(text) as { readonly state: string; readonly reason: string | null })
await until(() => records('pump').some(({ state }) => state === 'failed'), 'the failure')
const failed = records('pump').find(({ state }) => state === 'failed')
process.stdout.write(`pump failed: ${failed?.reason}\nhealthy ${records('healthy').at(-1)?.state}\n`)
process.exit(0)
