import { describe, expect, test } from 'vitest'
import { assignmentEvent, experimentEvent } from '../../events/bioreactor/experiments.js'
import { vesselEvent } from '../../events/bioreactor/vessel.js'
import { openForWriting } from '../../projections/engine/database.js'
import { Projector } from '../../projections/engine/projector.js'
import { projections } from '../../projections/index.js'
import { MemoryLog, TEST_EPOCH_MS, type TestEvent } from '../support/memory-log.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

/** Folds the events, by default one after the other as when the unit lives, and asks in SQL as a notebook does. */
function folded(events: readonly TestEvent[], sql: string, batch = 1): unknown[] {
  const database = openForWriting(`${temporaryDirectory()}/read-models.db`)
  const projector = new Projector(database, new MemoryLog(events), projections)
  while (projector.foldNext(batch) > 0);
  projector.createIndexes()
  const rows = database.prepare(sql).all()
  database.close()
  return rows
}

const at = (seconds: number): string => new Date(TEST_EPOCH_MS + seconds * 1000).toISOString()
const said = (path: string, payload: TestEvent['payload'] = '1', retain = true): TestEvent => ({
  topic: `pioreactor/${path}`,
  ...(payload === undefined ? {} : { payload }),
  retain,
})
const told = (experiment: string, record: object, seconds: number, unit = 'u1'): TestEvent => ({
  topic: experimentEvent.topic({ unit, experiment }),
  payload: { description: null, tags: [], unit_label: null, timestamp: at(seconds), ...record },
})
const assigned = (experiment: string | null, seconds: number, unit = 'u1'): TestEvent => ({
  topic: assignmentEvent.topic({ unit }),
  payload: {
    pioreactor_unit: unit,
    experiment,
    assigned_at: experiment === null ? null : at(seconds),
    updated_at: at(seconds),
  },
})

describe('an experiment', () => {
  test('is there from what is first published of it, and keeps that time', () => {
    const events = [
      said('u1/growth/stirring/target_rpm', '400'),
      said('u2/yeast/dosing_events', {}, false),
      said('u1/growth/stirring/target_rpm', '500'),
    ]
    expect(folded(events, 'SELECT * FROM experiments')).toEqual([
      { experiment: 'growth', created_at: at(1), description: null },
      { experiment: 'yeast', created_at: at(2), description: null },
    ])
  })

  test('is not made by orders, clearing, scratch work, nor by what belongs to the unit itself', () => {
    const events = [
      said('u1/typo/stirring/target_rpm/set', '900', false),
      said('u1/typo/stirring/target_rpm/set/outcome', {}, false),
      said('u1/gone/stirring/target_rpm', ''),
      said('u1/$experiment/monitor/versions', {}),
      said('u1/_testing_growth/leds/intensity', {}),
    ]
    expect(folded(events, 'SELECT * FROM experiments')).toEqual([])
  })

  test('has the description and the tags it was given last, each tag since it was given', () => {
    const events = [
      said('u1/growth/stirring/target_rpm', '400'),
      told('growth', { description: 'yeast at 30', tags: ['yeast', 'warm'] }, 10),
      told('growth', { description: 'yeast at 37', tags: ['warm', 'hot'] }, 20),
      told('planned', { description: 'for later' }, 30),
    ]
    for (const batch of [1, 100]) {
      expect(folded(events, 'SELECT * FROM experiments', batch)).toEqual([
        { experiment: 'growth', created_at: at(1), description: 'yeast at 37' },
        { experiment: 'planned', created_at: at(30), description: 'for later' },
      ])
      expect(folded(events, 'SELECT * FROM experiment_tags', batch)).toEqual([
        { experiment: 'growth', tag: 'warm', created_at: at(10) },
        { experiment: 'growth', tag: 'hot', created_at: at(20) },
      ])
    }
    expect(folded([...events, { topic: 'system/u1/experiments/growth' }], 'SELECT * FROM experiment_tags')).toEqual([])
  })

  test('that came last is the latest', () => {
    const events = [said('u1/growth/stirring/target_rpm'), assigned('yeast', 60)]
    expect(folded(events, 'SELECT * FROM latest_experiment')).toEqual([
      { experiment: 'yeast', created_at: at(60), description: null, delta_hours: expect.any(Number) as number },
    ])
  })
})

test('the label of a unit is that of the experiment, since it was given', () => {
  const events = [
    told('growth', { unit_label: 'left' }, 1),
    told('growth', { unit_label: 'left', tags: ['a'] }, 2),
    told('growth', { unit_label: 'right' }, 3, 'u2'),
    told('yeast', { unit_label: 'gone' }, 4),
    told('yeast', {}, 5),
  ]
  expect(folded(events, 'SELECT * FROM pioreactor_unit_labels')).toEqual([
    { experiment: 'growth', pioreactor_unit: 'u1', label: 'left', created_at: at(1) },
    { experiment: 'growth', pioreactor_unit: 'u2', label: 'right', created_at: at(3) },
  ])
})

test('assignments are known with their history, however often a leader repeats them', () => {
  const events = [
    assigned('growth', 1),
    assigned('growth', 1),
    assigned('growth', 2, 'u2'),
    assigned('yeast', 30),
    assigned('yeast', 30),
    assigned(null, 40, 'u2'),
    { topic: assignmentEvent.topic({ unit: 'u2' }) },
    said('u1/$experiment/assignment', 'nonsense'),
  ]
  expect(folded(events, 'SELECT * FROM experiment_worker_assignments')).toEqual([
    { pioreactor_unit: 'u1', experiment: 'yeast', assigned_at: at(30) },
  ])
  expect(folded(events, 'SELECT * FROM experiment_worker_assignments_history')).toEqual([
    { pioreactor_unit: 'u1', experiment: 'growth', assigned_at: at(1), unassigned_at: at(30) },
    { pioreactor_unit: 'u1', experiment: 'yeast', assigned_at: at(30), unassigned_at: null },
    { pioreactor_unit: 'u2', experiment: 'growth', assigned_at: at(2), unassigned_at: at(40) },
  ])
})

test('a unit is a worker from its first vessel on, of the model it has now', () => {
  const vessel = (model_name: string, seconds: number): TestEvent => ({
    topic: vesselEvent.topic({ unit: 'u1' }),
    payload: {
      model_name,
      model_version: '1.5',
      reactor_capacity_ml: 20,
      reactor_max_fill_volume_ml: 18,
      initial_values: {
        current_volume_ml: 14,
        efflux_tube_volume_ml: 14,
        alt_media_fraction: 0,
        cumulative_media_added_ml: 0,
        cumulative_alt_media_added_ml: 0,
        cumulative_waste_removed_ml: 0,
      },
      timestamp: at(seconds),
    },
  })
  expect(folded([vessel('pioreactor_40ml', 1), vessel('pioreactor_20ml', 9)], 'SELECT * FROM workers')).toEqual([
    {
      pioreactor_unit: 'u1',
      added_at: at(1),
      model_name: 'pioreactor_20ml',
      model_version: '1.5',
      is_active: 1,
    },
  ])
})
