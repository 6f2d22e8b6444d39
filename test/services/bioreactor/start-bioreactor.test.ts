import { afterEach, expect, test } from 'vitest'
import { createClock } from '../../../clock.js'
import { boardOptions } from '../../../services/bioreactor/board/board-settings.js'
import { startBioreactor } from '../../../services/bioreactor/start-bioreactor.js'
import type { Service } from '../../../services/runtime/service.js'
import type { BoardHardware } from '../../../services/transport/hardware.js'
import { createInProcessHardware } from '../../../simulation/in-process-hardware.js'
import { VirtualBench } from '../../../simulation/virtual-bench.js'
import { eventually } from '../../support/eventually.js'
import { MemoryBroker } from '../../support/memory-bus.js'
import { silentLogger } from '../../support/silent-logger.js'
import { temporaryDirectory } from '../../support/temporary-directory.js'

const HEATER_PIN = 18
const NO_BOARD = { HAT_VERSION: '', MODEL_NAME: '', MODEL_VERSION: '', RESUME_JOBS: '' }

const services: Service[] = []
afterEach(async () => {
  for (const service of services.splice(0)) await service.stop()
})

async function start(hardware: BoardHardware, settings = NO_BOARD) {
  const broker = new MemoryBroker()
  const context = {
    unit: 'u1',
    box: 'u1',
    clock: createClock(),
    logger: silentLogger,
    hardwareKind: 'simulated' as const,
    dotPioreactor: temporaryDirectory(),
    bus: broker.connect(),
    connectBus: async () => broker.connect(),
    hardware,
    ports: { list: async () => [], open: () => Promise.reject(new Error('no port')), closeAll: async () => undefined },
    settings,
  }
  const service = await startBioreactor(context, [])
  services.push(service)
  return { broker, service }
}

test('a heater that nobody wants on goes off within a second, without any job, and the log has the reason', async () => {
  const bench = new VirtualBench({ clock: createClock(), seed: 1 })
  const { broker } = await start(createInProcessHardware(bench))
  bench.setPwm(HEATER_PIN, 60)
  await eventually(() => expect(bench.outputs.pwm[HEATER_PIN]).toBe(0))
  await eventually(() => expect(broker.payloads('pioreactor/u1/$experiment/logs/app/error')).toHaveLength(1))
  expect(broker.payloads('pioreactor/u1/$experiment/logs/app/error')[0]).toContain('nobody uses it')
})

test('the broker is not needed for it', async () => {
  const bench = new VirtualBench({ clock: createClock(), seed: 1 })
  const { broker } = await start(createInProcessHardware(bench))
  broker.setConnected(false)
  bench.setPwm(HEATER_PIN, 60)
  await eventually(() => expect(bench.outputs.pwm[HEATER_PIN]).toBe(0))
})

test('half a vessel is refused before anything starts', async () => {
  const bench = new VirtualBench({ clock: createClock(), seed: 1 })
  await expect(start(createInProcessHardware(bench), { ...NO_BOARD, MODEL_NAME: 'pioreactor_20ml' })).rejects.toThrow(
    'MODEL_NAME is set but MODEL_VERSION is not; a vessel needs both.',
  )
  await expect(
    start(createInProcessHardware(bench), { ...NO_BOARD, MODEL_NAME: 'pioreactor_20ml', MODEL_VERSION: '7' }),
  ).rejects.toMatchObject({ code: 'hardware.unknown_model' })
})

test('HAT and vessel of the settings go before those of the hardware', () => {
  expect(boardOptions({ HAT_VERSION: '1.1', MODEL_NAME: 'pioreactor_20ml', MODEL_VERSION: '1.5' })).toEqual({
    hat: '1.1',
    model: { modelName: 'pioreactor_20ml', modelVersion: '1.5' },
  })
  expect(boardOptions(NO_BOARD)).toEqual({})
})
