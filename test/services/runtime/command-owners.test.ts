import { join } from 'node:path'
import { expect, test } from 'vitest'
import { serviceParts } from '../../../cli/service-parts.js'
import { createClock } from '../../../clock.js'
import { readConfig } from '../../../config.js'
import { catalogue, instruments } from '../../../instruments.js'
import { createInProcessHardware } from '../../../simulation/in-process-hardware.js'
import { VirtualBench } from '../../../simulation/virtual-bench.js'
import { MemoryBroker } from '../../support/memory-bus.js'
import { silentLogger } from '../../support/silent-logger.js'
import { temporaryDirectory } from '../../support/temporary-directory.js'

test('every declared command has one service that carries it out', async () => {
  const home = temporaryDirectory()
  const config = readConfig({ BENCHLOG_HOME: home, UNIT_NAME: 'u1' })
  const broker = new MemoryBroker()
  const clock = createClock()
  const context = {
    unit: 'u1',
    box: 'u1',
    clock,
    logger: silentLogger,
    hardwareKind: 'simulated' as const,
    dotPioreactor: join(home, 'pioreactor'),
    bus: broker.connect(),
    connectBus: async () => broker.connect(),
    hold: async () => () => undefined,
  }
  const hardware = createInProcessHardware(new VirtualBench({ clock, seed: 1 }))
  const parts = serviceParts(instruments, hardware, config)
  const services = await Promise.all(parts.map((part) => part.start(context, [])))
  const answered = services.flatMap(({ commands }) => commands.map(({ command }) => command.name))
  await Promise.all(services.map((service) => service.stop()))
  expect(answered.toSorted()).toEqual(catalogue.commands.map(({ name }) => name).toSorted())
  for (const [index, { commands }] of parts.entries()) {
    const own = services[index]?.commands.map(({ command }) => command.name)
    expect(own?.toSorted()).toEqual(commands.map(({ name }) => name).toSorted())
  }
})
