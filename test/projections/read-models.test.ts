import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { openForWriting } from '../../projections/engine/database.js'
import { Projector } from '../../projections/engine/projector.js'
import { absentTables } from '../../projections/engine/queries.js'
import { projections, readModels } from '../../projections/index.js'
import type { ReadModels } from '../../projections/read-models.js'
import { openReadModels, ReadModelsNotReady } from '../../projections/read-models.js'
import { RunFileSink } from '../../projections/run-files/run-file-sink.js'
import { openRunFilesDatabase } from '../../projections/run-files/run-files-database.js'
import { MemoryLog, type TestEvent } from '../support/memory-log.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { ca, cv, jobRecord, order, progress, report, setting, slotState, T0 } from './lab-events.js'

function paths() {
  const directory = temporaryDirectory()
  return { readModelsPath: join(directory, 'read-models.db'), runFilesStatePath: join(directory, 'run-files.db') }
}

/** Folds the events into files of their own and asks the queries. `filesWrittenTo` is how far the run-file sink is. */
async function given(
  events: readonly TestEvent[],
  ask: (models: ReadModels) => Promise<void>,
  filesWrittenTo = events.length,
): Promise<void> {
  const at = paths()
  const database = openForWriting(at.readModelsPath)
  const projector = new Projector(database, new MemoryLog(events), projections)
  while (projector.foldNext() > 0);
  const files = openRunFilesDatabase(at.runFilesStatePath)
  files.prepare('UPDATE checkpoint SET position = ?').run(filesWrittenTo)
  const models = openReadModels(at)
  await ask(models)
  models.close()
  files.close()
  database.close()
}

test('positions are 0 and queries say so while there are no tables yet; they work once there are', async () => {
  const at = paths()
  const models = openReadModels(at)
  expect([await models.position(), await models.filesPosition()]).toEqual([0, 0])
  await expect(models.jobs()).rejects.toThrow(ReadModelsNotReady)
  const empty = new Database(at.readModelsPath)
  await expect(models.jobs()).rejects.toThrow(ReadModelsNotReady)
  empty.close()
  const database = openForWriting(at.readModelsPath)
  new Projector(database, new MemoryLog([jobRecord(1)]), projections).foldNext()
  expect(await models.jobs()).toHaveLength(1)
  expect(await models.position()).toBe(1)
  models.close()
  database.close()
})

test('tables and queries have each a name of their own', () => {
  const tables = projections.map(({ name }) => name)
  const source = { tables: () => absentTables(() => new Error('not there')), files: () => null }
  const queries = readModels.flatMap((model) => Object.keys(model.queries(source)))
  expect(queries).toEqual(expect.arrayContaining(['jobs', 'task', 'runs']))
  for (const names of [tables, queries]) expect([...new Set(names)]).toEqual(names)
})

describe('jobs', () => {
  test('are found by state, name and experiment, with the record last published', async () => {
    const ended = { is_running: false, state: 'disconnected', ended_at: T0 }
    await given(
      [jobRecord(1), jobRecord(1, ended), jobRecord(2, { job_name: 'od_reading' }), { topic: 'system/u1/jobs/1' }],
      async (models) => {
        expect((await models.jobs()).map(({ job_id }) => job_id)).toEqual([1, 2])
        expect(await models.jobs({ running: true })).toEqual([jobRecord(2, { job_name: 'od_reading' }).payload])
        expect(await models.jobs({ jobName: 'stirring' })).toEqual([jobRecord(1, ended).payload])
        expect(await models.jobs({ experiment: 'other' })).toEqual([])
        expect(await models.jobs({ longRunning: true })).toEqual([])
      },
    )
  })

  test('have settings typed as published, without those cleared, not retained or left by an earlier job', async () => {
    await given(
      [
        setting('left_over', '1'),
        jobRecord(1),
        setting('$state', 'ready'),
        setting('target_rpm', '500.0'),
        setting('duty_cycle', '30'),
        setting('duty_cycle', ''),
        setting('enable_dodging_od', 'True'),
        setting('measured_rpm', '{"measured_rpm":1}'),
        { ...setting('occurrence', '5'), retain: false },
        setting('target_rpm/set', '900'),
      ],
      async (models) => {
        expect(await models.jobSettings('stirring')).toEqual({
          $state: 'ready',
          target_rpm: 500,
          enable_dodging_od: 1,
          measured_rpm: '{"measured_rpm":1}',
        })
        expect(await models.jobSettings('od_reading')).toBeNull()
      },
    )
  })

  test('that ended have no settings', async () => {
    await given([jobRecord(1), setting('$state', 'ready'), jobRecord(1, { is_running: false })], async (models) =>
      expect(await models.jobSettings('stirring')).toBeNull(),
    )
  })
})

test('tasks are found until they are cleared', async () => {
  const task = { task_id: 't1', name: 'run', status: 'succeeded', result: { ok: true }, timestamp: T0 }
  const topic = 'system/u1/tasks/t1'
  await given([{ topic, payload: task }], async (models) => expect(await models.task('t1')).toEqual(task))
  await given([{ topic, payload: task }, { topic }], async (models) => expect(await models.task('t1')).toBeNull())
})

test('capabilities and devices are as last announced; modes by their rank, which early logs call order', async () => {
  const mode = (name: string, place: { readonly rank: number } | { readonly order: number }) => ({
    topic: `system/u1/capabilities/modes/${name}`,
    payload: { mode: name, parameters: {}, ...place },
  })
  const device = { slot: 'slot01', port: '/dev/x', sn: null, connected: true, run_id: null }
  const job = { job_name: 'stirring', published_settings: {} }
  await given(
    [
      mode('CV', { rank: 2 }),
      mode('LSV', { order: 1 }),
      mode('CA', { rank: 0 }),
      mode('OLD', { rank: 3 }),
      { topic: 'system/u1/capabilities/modes/OLD' },
      { topic: 'system/u1/capabilities/jobs/stirring', payload: job },
      { topic: 'potentiostat/box/$devices/slot01', payload: device },
    ],
    async (models) => {
      expect(await models.modes()).toEqual([
        { mode: 'CA', parameters: {}, rank: 0 },
        { mode: 'LSV', parameters: {}, rank: 1 },
        { mode: 'CV', parameters: {}, rank: 2 },
      ])
      expect(await models.jobCapabilities()).toEqual([job])
      expect(await models.devices()).toEqual([device])
    },
  )
})

describe('runs', () => {
  test('go from queued to running with their progress, below 100 until they end', async () => {
    const accepted = order('r1', { modes: [ca(1000), cv(1000)], group_id: 'g', warnings: ['w'] })
    await given([accepted], async (models) =>
      expect(await models.run('r1')).toMatchObject({
        status: 'queued',
        progress_pct: 0,
        remaining_s: 1,
        modes: ['CA', 'CV'],
      }),
    )
    await given(
      [accepted, slotState('r1', 'running'), progress('r1', 100, 3), progress('r1', 40, 2)],
      async (models) => {
        expect(await models.run('r1')).toMatchObject({
          status: 'running',
          progress_pct: 99,
          remaining_s: 2,
          ended_at: null,
          group_id: 'g',
          warnings: [{ code: 'unspecified', message: 'w', slot: null, mode: null }],
          slots: [{ slot: 'slot01', status: 'running', mode_index: 0, samples: 400 }],
        })
      },
    )
  })

  test('end for clients only when their files are written as far', async () => {
    const events = [order('r1'), slotState('r1', 'running'), slotState('r1', 'done')]
    await given(events, async (models) => expect((await models.run('r1'))?.status).toBe('running'), 2)
    await given(events, async (models) =>
      expect(await models.run('r1')).toMatchObject({
        status: 'done',
        progress_pct: 100,
        remaining_s: 0,
        ended_at: '2026-11-20T09:00:09.000Z',
      }),
    )
  })

  test('failed by an interruption tell the reason', async () => {
    await given([order('r1'), slotState('r1', 'failed', { message: 'The services stopped.' })], async (models) =>
      expect(await models.run('r1')).toMatchObject({ status: 'failed', slots: [{ message: 'The services stopped.' }] }),
    )
  })

  test('that died keep the progress they reached, and run for nobody, whatever is still drawn', async () => {
    const events = [order('r1'), progress('r1', 42, 9), slotState('r1', 'failed', { interrupted: true })]
    const told = { status: 'failed', progress_pct: 42, remaining_s: null, ended_at: '2026-11-20T09:00:09.000Z' }
    await given(events, async (models) => expect(await models.run('r1')).toMatchObject(told))
    await given(events, async (models) => expect((await models.run('r1'))?.status).toBe('failed'), 2)
  })

  test('keep their progress when cancelled', async () => {
    await given(
      [order('r1'), progress('r1', 42, 9), slotState('r1', 'cancelled', { message: 'cancelled' })],
      async (models) =>
        expect(await models.run('r1')).toMatchObject({ status: 'cancelled', progress_pct: 42, remaining_s: null }),
    )
  })

  test.each([
    [['done', 'queued'], 'running'],
    [['done', 'failed'], 'failed'],
    [['done', 'cancelled'], 'cancelled'],
    [['done', 'done'], 'done'],
  ] as const)('with slots %j are %s', async ([first, second], status) => {
    const events = [
      order('r1', { slots: ['slot01', 'slot02'] }),
      slotState('r1', first),
      slotState('r1', second, { slot: 'slot02' }),
    ]
    await given(events, async (models) => expect((await models.run('r1'))?.status).toBe(status))
  })

  test('are listed newest first', async () => {
    await given([order('r1'), order('r2', { timestamp: '2026-11-20T10:00:00.000Z' })], async (models) => {
      expect((await models.runs()).map(({ run_id }) => run_id)).toEqual(['r2', 'r1'])
      expect(await models.run('r3')).toBeNull()
    })
  })

  test('say the same of a run in the list as one by one', async () => {
    const events = [
      order('r1', { slots: ['slot01', 'slot02'], modes: [ca(4), cv(4)] }),
      order('r2', { subdir: 'Grp', group_id: 'g' }),
      slotState('r2', 'running', { mode_index: 0 }),
      order('r3'),
      slotState('r3', 'done', { reports: [report(0, 4)] }),
    ]
    for (const filesWrittenTo of [0, events.length]) {
      const ask = async (models: ReadModels): Promise<void> => {
        const listed = await models.runs()
        expect(listed.map(({ run_id }) => run_id).sort()).toEqual(['r1', 'r2', 'r3'])
        for (const run of listed) expect(await models.run(run.run_id)).toMatchObject(run)
      }
      await given(events, ask, filesWrittenTo)
    }
  })

  test('accept an order once', async () => {
    await given([order('r1'), slotState('r1', 'running'), order('r1', { experiment_name: 'other' })], async (models) =>
      expect(await models.run('r1')).toMatchObject({ status: 'running', experiment_name: 'My Exp' }),
    )
  })
})

test('a run ends for clients with its manifest, by which it can be uploaded', async () => {
  const at = paths()
  const log = new MemoryLog([order('r1'), slotState('r1', 'done')])
  const database = openForWriting(at.readModelsPath)
  const projector = new Projector(database, log, projections)
  while (projector.foldNext() > 0);
  const files = openRunFilesDatabase(at.runFilesStatePath)
  const sink = new RunFileSink({ database: files, log, runsRoot: temporaryDirectory() })
  while (sink.advance() > 0);
  const models = openReadModels(at)
  expect((await models.run('r1'))?.status).toBe('running')
  sink.writeManifests()
  expect((await models.run('r1'))?.status).toBe('done')
  models.close()
  files.close()
  database.close()
})
