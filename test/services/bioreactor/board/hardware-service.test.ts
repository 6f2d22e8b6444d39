import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkHardwareTask } from '../../../../events/bioreactor/commands.js'
import { offerHardwareCheck } from '../../../../services/bioreactor/board/hardware-service.js'
import { parseFault } from '../../../../simulation/bioreactor/faults.js'
import { createInProcessHardware } from '../../../../simulation/in-process-hardware.js'
import { type BenchOptions, VirtualBench } from '../../../../simulation/virtual-bench.js'
import { FakeClock } from '../../../support/fake-clock.js'
import { MemoryBroker } from '../../../support/memory-bus.js'
import { silentLogger } from '../../../support/silent-logger.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'
import { until } from '../../../support/until.js'

const XR = { model_name: 'pioreactor_20ml_XR', model_version: '1.5' }
const STOCK = { model_name: 'pioreactor_20ml', model_version: '1.1' }

async function start(
  options: Partial<BenchOptions> = {},
  dotPioreactor = temporaryDirectory(),
  other: { readonly hatVersion?: null } = {},
) {
  const clock = new FakeClock()
  const bench = new VirtualBench({ clock, seed: 1, ...options })
  const broker = new MemoryBroker()
  const context = {
    unit: 'u1',
    box: 'u1',
    clock,
    logger: silentLogger,
    hardwareKind: 'simulated' as const,
    dotPioreactor,
    bus: broker.connect(),
    connectBus: async () => broker.connect(),
    hardware: { ...createInProcessHardware(bench), ...other },
  }
  const { answers } = await offerHardwareCheck(context, {})
  const task = (id: string) =>
    JSON.parse(broker.retained.get(`system/u1/tasks/${id}`)?.toString() ?? '{}') as Record<string, unknown>
  return {
    bench,
    broker,
    /** @returns the task once it is over. */
    async check(model: Record<string, unknown>): Promise<Record<string, unknown>> {
      await answers[0]?.carryOut(JSON.stringify({ id: 't', ...model }), 't')
      await until(async () => {
        await clock.advance(10)
        return task('t')['status'] !== 'running'
      }, 'the check to end')
      return task('t')
    },
    messages: (level: string): string[] =>
      broker
        .payloads(`pioreactor/u1/$experiment/logs/app/${level}`)
        .map((text) => (JSON.parse(text) as { message: string }).message),
  }
}

test('a vessel whose converters answer is ok, and the log says so', async () => {
  const unit = await start()
  expect(await unit.check(STOCK)).toMatchObject({ name: checkHardwareTask.name, result: { status: 'ok' } })
  expect(unit.messages('notice')).toEqual(["The photodiodes' converters of pioreactor_20ml, v1.1 answer."])
  expect(unit.messages('warning')).toEqual([])
})

test('converters that do not answer are a warning that names them, and so is the rest that is missing, in the log', async () => {
  const unit = await start()
  unit.bench.setFault(parseFault(['unplugged', 'heater_board']))
  const reason = 'missing I2C devices at 0x48, 0x49, 0x4A, 0x4B for pioreactor_20ml_XR, v1.5'
  expect(await unit.check(XR)).toMatchObject({ status: 'succeeded', result: { status: 'warning', reason } })
  expect(unit.messages('warning')).toContain(`pioreactor_20ml_XR, v1.5: ${reason}`)
  expect(unit.messages('warning')).toContainEqual(expect.stringMatching(/^I2C 0x4F: .*Plug the heater board in/))
})

test('without a HAT it is skipped', async () => {
  const unit = await start({}, temporaryDirectory(), { hatVersion: null })
  expect(await unit.check(STOCK)).toMatchObject({
    status: 'succeeded',
    result: { status: 'skipped', reason: 'The HAT is none of version 1.' },
  })
})

test('an unknown model fails the task in the words of the contract', async () => {
  const unit = await start()
  expect(await unit.check({ model_name: 'bucket', model_version: '1' })).toMatchObject({
    status: 'failed',
    error: { code: 'hardware.unknown_model', message: "Unknown model 'bucket' with version '1'." },
  })
})

test('the vessels that the unit knows are announced, those of its own files among them', async () => {
  const dotPioreactor = temporaryDirectory()
  await mkdir(join(dotPioreactor, 'models'))
  await writeFile(
    join(dotPioreactor, 'models', 'jar.yaml'),
    'model_name: jar\nmodel_version: "1"\ndisplay_name: Jar\nreactor_capacity_ml: 20\nreactor_max_fill_volume_ml: 18\nreactor_diameter_mm: 27\nmax_temp_to_reduce_heating: 63\nmax_temp_to_disable_heating: 65\nmax_temp_to_shutdown: 66\n',
  )
  const { broker } = await start({}, dotPioreactor)
  const { models } = JSON.parse(broker.retained.get('system/u1/models')?.toString() ?? '{}') as { models: unknown[] }
  expect(models).toContainEqual(STOCK)
  expect(models).toContainEqual({ model_name: 'jar', model_version: '1' })
})
