import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { openForWriting } from '../../projections/engine/database.js'
import { PAGE_ROWS } from '../../projections/engine/kept-list.js'
import { Projector } from '../../projections/engine/projector.js'
import { projections } from '../../projections/index.js'
import { openReadModels, type ReadModels } from '../../projections/read-models.js'
import { openRunFilesDatabase } from '../../projections/run-files/run-files-database.js'
import { RunFilesStore } from '../../projections/run-files/run-files-store.js'
import { MemoryLog, type TestEvent } from '../support/memory-log.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { jobRecord, order, progress, slotState, T0 } from './lab-events.js'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

function openModels() {
  const home = temporaryDirectory()
  const paths = { readModelsPath: join(home, 'read-models.db'), runFilesStatePath: join(home, 'run-files.db') }
  const log = new MemoryLog()
  const database = openForWriting(paths.readModelsPath)
  const projector = new Projector(database, log, projections)
  const filesDatabase = openRunFilesDatabase(paths.runFilesStatePath)
  const store = new RunFilesStore(filesDatabase)
  const opened: ReadModels[] = []
  const open = (): ReadModels => {
    const models = openReadModels(paths)
    opened.push(models)
    return models
  }
  closing.push(() => {
    for (const models of opened) models.close()
    database.close()
    filesDatabase.close()
  })
  const given = (...events: readonly TestEvent[]): void => {
    log.append(...events)
    while (projector.foldNext() > 0);
  }
  /** The files of the runs are written as far as the log goes. */
  const write = (): void => {
    store.position = log.lastPosition()
  }
  return { given, write, open, models: open() }
}

const runIds = fc.constantFrom('r1', 'r2', 'r3')
const runStates = fc.constantFrom('running', 'done', 'failed', 'cancelled')
const events: fc.Arbitrary<TestEvent> = fc.oneof(
  runIds.chain((id) =>
    fc.constantFrom('08', '09', '10').map((hour) => order(id, { timestamp: T0.replace('09', hour) })),
  ),
  fc.tuple(runIds, runStates).map(([id, state]) => slotState(id, state)),
  fc.tuple(runIds, fc.integer({ min: 0, max: 100 })).map(([id, progress_pct]) => progress(id, progress_pct, 60)),
  fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.boolean())
    .map(([id, is_running]) => jobRecord(id, { is_running, ended_at: is_running ? null : T0 })),
)

test('lists that are kept say what lists that are read anew say, after whatever events', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(events, { maxLength: 4 }), { maxLength: 8 }),
      fc.boolean(),
      async (batches, writes) => {
        const { given, write, models, open } = openModels()
        for (const batch of batches) {
          given(...batch)
          if (writes) write()
          const anew = open()
          expect(await models.runs()).toEqual(await anew.runs())
          expect(await models.allJobs()).toEqual(await anew.allJobs())
          expect((await models.allJobs()).toReversed()).toEqual(await anew.jobs())
        }
      },
    ),
    { numRuns: 40 },
  )
})

describe('a list', () => {
  test('is the same one as long as nothing in it changed, and keeps the rows that did not', async () => {
    const { given, models } = openModels()
    given(jobRecord(1), jobRecord(2))
    const first = await models.allJobs()
    given({ topic: 'pioreactor/u1/exp/stirring/target_rpm', payload: '500' })
    expect(await models.allJobs()).toBe(first)
    given(jobRecord(2, { is_running: false, ended_at: T0 }))
    const second = await models.allJobs()
    expect(second).not.toBe(first)
    expect(second[1]).toBe(first[1])
    expect(second[0]).toMatchObject({ job_id: 2, is_running: false })
    expect(first[0]).toMatchObject({ job_id: 2, is_running: true })
  })

  test('has all its rows when they are many, whoever asks at the same time', async () => {
    const { given, models } = openModels()
    const count = 2 * PAGE_ROWS + 1
    given(...Array.from({ length: count }, (_, index) => jobRecord(index + 1)))
    const lists = await Promise.all([models.allJobs(), models.allJobs()])
    expect(lists.map((list) => list.length)).toEqual([count, count])
    expect(lists[0]?.map(({ job_id }) => job_id)).toEqual(Array.from({ length: count }, (_, index) => count - index))
  })

  test('shows a run as ended as soon as its files are written, though no event tells of it', async () => {
    const { given, write, models } = openModels()
    given(order('r1'), slotState('r1', 'done'))
    expect(await models.runs()).toMatchObject([{ status: 'running' }])
    write()
    expect(await models.runs()).toMatchObject([{ status: 'done' }])
  })
})
