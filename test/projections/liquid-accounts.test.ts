import { expect, test } from 'vitest'
import { liquidEvent } from '../../events/bioreactor/liquids.js'
import { openForWriting } from '../../projections/engine/database.js'
import { Projector } from '../../projections/engine/projector.js'
import { projections } from '../../projections/index.js'
import { MemoryLog, type TestEvent } from '../support/memory-log.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

const AT = '2026-11-20T09:00:00.000Z'
const dose = (event: string, volume_change: number): TestEvent => ({
  topic: 'pioreactor/u1/exp/dosing_events',
  payload: { volume_change, event, source_of_event: 'CLI', timestamp: AT },
})
const account = (volume_ml: number, timestamp: string): TestEvent => ({
  topic: liquidEvent.topic({ unit: 'u1', experiment: 'exp' }),
  payload: {
    liquid: {
      volume_ml,
      efflux_tube_volume_ml: 15,
      composition: { media: 0.9, salty_media: 0.1 },
      added_ml: { media: 1 },
      removed_ml: 2,
      spilled_ml: 0,
    },
    capacity_ml: 20,
    pumping: [],
    timestamp,
  },
})

function folded(events: readonly TestEvent[], table: string): unknown[] {
  const database = openForWriting(`${temporaryDirectory()}/read-models.db`)
  const projector = new Projector(database, new MemoryLog(events), projections)
  while (projector.foldNext() > 0);
  projector.createIndexes()
  const rows = database.prepare(`SELECT * FROM ${table}`).all()
  database.close()
  return rows
}

test('every state of the account is kept with the time of its source, and a repeated delivery is none', () => {
  const events = [
    account(16, AT),
    account(16, AT),
    account(15, '2026-11-20T09:00:01.5Z'),
    { topic: 'system/u1/liquids/exp', payload: '{"volume": "much"}' },
    { topic: 'system/u1/liquids/exp' },
  ]
  expect(folded(events, 'liquid_accounts')).toEqual([
    {
      experiment: 'exp',
      pioreactor_unit: 'u1',
      timestamp: AT,
      volume_ml: 16,
      efflux_tube_volume_ml: 15,
      composition: '{"media":0.9,"salty_media":0.1}',
      added_ml: '{"media":1}',
      removed_ml: 2,
      spilled_ml: 0,
    },
    expect.objectContaining({ timestamp: '2026-11-20T09:00:01.500Z', volume_ml: 15 }),
  ])
})

test('doses and the values of the vial stand in the tables of a Pioreactor', () => {
  const variable = (name: string, payload: string): TestEvent => ({
    topic: `pioreactor/u1/exp/bioreactor/${name}`,
    payload,
  })
  const events = [
    dose('add_media', 0.5),
    dose('remove_waste', 0.5),
    dose('add_media', 0.5),
    variable('current_volume_ml', '15.5'),
    variable('alt_media_fraction', '0.25'),
  ]
  expect(folded(events, 'dosing_events')).toMatchObject([
    { event: 'add_media', volume_change_ml: 0.5, source_of_event: 'CLI', timestamp: AT },
    { event: 'remove_waste', volume_change_ml: 0.5 },
  ])
  expect(folded(events, 'liquid_volumes')).toMatchObject([{ liquid_volume: 15.5 }])
  expect(folded(events, 'alt_media_fractions')).toMatchObject([{ alt_media_fraction: 0.25 }])
})
