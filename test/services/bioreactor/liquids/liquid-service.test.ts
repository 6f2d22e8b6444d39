import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { correctLiquidCommand } from '../../../../events/bioreactor/commands.js'
import type { DosingEvent, LiquidAccount } from '../../../../events/bioreactor/liquids.js'
import { offerLiquids } from '../../../../services/bioreactor/liquids/liquid-service.js'
import { type BioreactorLab, startBioreactorLab } from '../../../support/bioreactor-lab.js'
import { eventually } from '../../../support/eventually.js'
import { FakeBioreactor } from '../../../support/fake-bioreactor.js'
import { give } from '../../../support/give.js'
import { MemoryBroker } from '../../../support/memory-bus.js'
import { pumpCalibration } from '../../../support/pump-calibration.js'

let lab: BioreactorLab
afterEach(async () => {
  const stopped = lab.service.stop()
  await lab.clock.advance(5000)
  await stopped
  await lab.book.stop()
  lab.close()
})

const correct = (values: Record<string, unknown>, experiment = 'exp') =>
  give(lab.service, correctLiquidCommand, { experiment, values })
const account = (): LiquidAccount =>
  JSON.parse(lab.broker.retained.get('system/u1/liquids/exp')?.toString() ?? '{}') as LiquidAccount
const messages = (path: string): string[] =>
  lab.published(path).map((text) => (JSON.parse(text) as { message: string }).message)

describe('what somebody looked up of the vial', () => {
  test('is entered, published and told with what stood there before', async () => {
    lab = await startBioreactorLab()
    const { values } = await correct({ current_volume_ml: 11.2, alt_media_fraction: '0.3' })
    expect(values).toMatchObject({ current_volume_ml: 11.2, alt_media_fraction: 0.3, efflux_tube_volume_ml: 15 })
    expect(account().liquid).toMatchObject({ volume_ml: 11.2, composition: { media: 0.7, alt_media: 0.3 } })
    expect(lab.broker.retained.get('pioreactor/u1/exp/bioreactor/current_volume_ml')?.toString()).toBe('11.2')
    expect(messages('logs/ui/info')).toEqual([
      'Updated current_volume_ml from 15.0 mL to 11.2 mL.',
      'Updated alt_media_fraction from 0.0 to 0.3.',
    ])
    expect(JSON.parse(lab.published('logs/ui/info')[0] ?? '')).toMatchObject({ source: 'ui', task: 'bioreactor' })
  })

  test('may come as true and false, which are 1 and 0', async () => {
    lab = await startBioreactorLab()
    expect((await correct({ alt_media_fraction: true, cumulative_media_added_ml: false })).values).toMatchObject({
      alt_media_fraction: 1,
      cumulative_media_added_ml: 0,
    })
  })

  test('counts at once for a pump that runs', async () => {
    lab = await startBioreactorLab()
    lab.calibrations.set('media_pump', pumpCalibration('media', 1))
    await lab.run('add_media', { ml: 2 })
    await correct({ current_volume_ml: 10 })
    expect(account().pumping).toMatchObject([{ event: 'add_media' }])
    await lab.clock.advance(3000)
    expect(account()).toMatchObject({ pumping: [], liquid: { volume_ml: expect.closeTo(11, 6) as number } })
  })

  test.each([
    [{}, /values.*empty/],
    [{ beer_ml: 1 }, /beer_ml/],
    [{ current_volume_ml: 'much' }, /current_volume_ml is "much"; it must be a number/],
    [{ current_volume_ml: null }, /current_volume_ml/],
    [{ current_volume_ml: '1e999' }, /current_volume_ml/],
    [{ current_volume_ml: -0.1 }, /current_volume_ml is -0.1 mL; it must be 0 to 20 mL/],
    [{ efflux_tube_volume_ml: 100 }, /efflux_tube_volume_ml is 100 mL; it must be 0 to 20 mL/],
    [{ alt_media_fraction: 1.01 }, /alt_media_fraction is 1.01; it must be 0 to 1/],
    [{ current_volume_ml: 12, cumulative_waste_removed_ml: -1 }, /cumulative_waste_removed_ml is -1 mL/],
  ])('%j is refused as a whole, and no account begins', async (values, reason) => {
    lab = await startBioreactorLab()
    const before = lab.broker.published.length
    await expect(correct(values)).rejects.toThrow(reason)
    expect(lab.broker.published.slice(before)).toEqual([])
  })

  test('must be of an experiment that can be part of a topic', async () => {
    lab = await startBioreactorLab()
    await expect(correct({ current_volume_ml: 12 }, 'a/b')).rejects.toThrow(/experiment/)
  })
})

describe('the vessel', () => {
  const vessel = () => JSON.parse(lab.broker.retained.get('system/u1/vessel')?.toString() ?? '{}') as object

  test('is announced with what an experiment begins with', async () => {
    lab = await startBioreactorLab()
    expect(vessel()).toMatchObject({
      reactor_capacity_ml: 20,
      reactor_max_fill_volume_ml: 18,
      initial_values: { current_volume_ml: 15, efflux_tube_volume_ml: 15, alt_media_fraction: 0 },
    })
  })

  test.each([
    ['[bioreactor]\ninitial_volume_ml=12.5\n', 12.5],
    ['[bioreactor]\ninitial_volume_ml=much\n', 15],
    ['no section', 15],
  ])('by the configuration %j holds %d mL', async (text, volume) => {
    lab = await startBioreactorLab()
    writeFileSync(join(lab.context.dotPioreactor, 'config.ini'), text)
    await offerLiquids(lab.context, lab.book, [])
    expect(vessel()).toMatchObject({ initial_values: { current_volume_ml: volume } })
  })

  test('is announced again when the configuration says otherwise, and only then', async () => {
    lab = await startBioreactorLab()
    const announced = () => lab.broker.payloads('system/u1/vessel').length
    const say = () => lab.context.bus.publish('system/u1/config', '{}', { retain: true })
    writeFileSync(join(lab.context.dotPioreactor, 'config.ini'), '[bioreactor]\ninitial_volume_ml=12.5\n')
    await say()
    await eventually(() => expect(vessel()).toMatchObject({ initial_values: { current_volume_ml: 12.5 } }))
    await say()
    writeFileSync(join(lab.context.dotPioreactor, 'config.ini'), '[bioreactor]\ninitial_volume_ml=13\n')
    await say()
    await eventually(() => expect(vessel()).toMatchObject({ initial_values: { current_volume_ml: 13 } }))
    expect(announced()).toBe(3)
  })
})

describe('doses that come to more than the vial holds', () => {
  const OVERFLOW = 'system/u1/liquids/exp/overflow'
  const overflow = () => JSON.parse(lab.broker.retained.get(OVERFLOW)?.toString() ?? 'null') as unknown
  const dose = async (event: string, volume_change: number) => {
    const at = lab.clock.now().toISOString()
    const told: DosingEvent = { volume_change, event, source_of_event: 'by hand', timestamp: at }
    await lab.context.bus.publish('pioreactor/u1/exp/dosing_events', JSON.stringify(told))
    await lab.clock.advance(10)
  }

  test('leave it full, raise an alarm once, and are followed on', async () => {
    lab = await startBioreactorLab()
    await correct({ current_volume_ml: 19 })
    await dose('add_media', 3)
    expect(account().liquid).toMatchObject({ volume_ml: 20, spilled_ml: 2 })
    expect(overflow()).toMatchObject({ spilled_ml: 2, volume_ml: 20, capacity_ml: 20, source_of_event: 'by hand' })
    await dose('add_media', 1)
    expect(overflow()).toMatchObject({ spilled_ml: 3 })
    expect(messages('logs/app/error')).toEqual([
      'The vial overflows: add_media of by hand left no room for 2.000 mL; it holds 20 mL. The account goes on from there.',
    ])
    await dose('remove_waste', 2)
    expect(account().liquid).toMatchObject({ volume_ml: 18, removed_ml: 2 })
    expect(overflow()).toBeNull()
  })

  test('are over when somebody looks', async () => {
    lab = await startBioreactorLab()
    await correct({ current_volume_ml: 19 })
    await dose('add_media', 3)
    expect(overflow()).not.toBeNull()
    await correct({ current_volume_ml: 14 })
    expect(overflow()).toBeNull()
  })
})

test('values that a kill left behind their account are put right at the next start', async () => {
  lab = await startBioreactorLab()
  await correct({ current_volume_ml: 12 })
  const killed = [...lab.broker.retained]
  const { service, book } = lab
  await service.stop()
  await book.stop()
  lab.close()
  const broker = new MemoryBroker()
  for (const [topic, payload] of killed) broker.retained.set(topic, payload)
  broker.retained.set('pioreactor/u1/exp/bioreactor/current_volume_ml', Buffer.from('15'))
  broker.retained.delete('pioreactor/u1/exp/bioreactor/cumulative_media_added_ml')
  lab = await startBioreactorLab({ broker, clock: lab.clock, bioreactor: new FakeBioreactor() })
  await lab.clock.advance(10)
  expect(lab.published('bioreactor/current_volume_ml')).toEqual(['12'])
  expect(lab.published('bioreactor/cumulative_media_added_ml')).toEqual(['0'])
  expect(lab.published('bioreactor/efflux_tube_volume_ml')).toEqual([])
})
