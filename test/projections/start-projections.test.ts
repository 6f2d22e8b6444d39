import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { type OwnedEventLogWriter, openEventLogWriter } from '../../event-log/writer.js'
import { openReadModels } from '../../projections/read-models.js'
import { rebuildReadModels, rebuildRunFiles } from '../../projections/rebuild.js'
import { ProjectionsEnded, type RunningProjections, startProjections } from '../../projections/start-projections.js'
import { overwritePage } from '../event-log/damaged-log.js'
import { eventually } from '../support/eventually.js'
import { FakeClock } from '../support/fake-clock.js'
import { newEvent, type TestEvent } from '../support/memory-log.js'
import { silentLogger } from '../support/silent-logger.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { jobRecord, odReading, order, report, samples, setting, slotState } from './lab-events.js'

/** Two threads start and a plot is drawn, on a machine that may be busy with other tests. */
vi.setConfig({ testTimeout: 120_000 })

const running: { stop(): Promise<void> }[] = []
afterEach(async () => {
  for (const part of running.splice(0)) await part.stop()
})

async function startUnit() {
  const home = temporaryDirectory()
  const paths = {
    eventLogPath: join(home, 'event-log.db'),
    readModelsPath: join(home, 'read-models.db'),
    runFilesStatePath: join(home, 'run-files.db'),
    runsRoot: join(home, 'runs'),
  }
  const writer = await openEventLogWriter({ path: paths.eventLogPath, clock: new FakeClock(), logger: silentLogger })
  running.push({ stop: () => writer.close() })
  return { paths, writer }
}

async function start(paths: Awaited<ReturnType<typeof startUnit>>['paths']): Promise<RunningProjections> {
  const projections = await startProjections({ ...paths, logger: silentLogger })
  running.unshift(projections)
  return projections
}

const append = (writer: OwnedEventLogWriter, events: readonly TestEvent[]) => writer.append(events.map(newEvent))

const run: TestEvent[] = [
  order('r1'),
  slotState('r1', 'running'),
  samples('r1', 0, 4),
  slotState('r1', 'done', { reports: [report(0, 4)] }),
]

test('catches up with the log before it resolves, then follows it', async () => {
  const { paths, writer } = await startUnit()
  await append(writer, [jobRecord(1), setting('target_rpm', '500')])
  await start(paths)
  const models = openReadModels(paths)
  expect(await models.jobSettings('stirring')).toEqual({ target_rpm: 500 })
  await append(writer, [setting('target_rpm', '600')])
  await eventually(async () => expect(await models.position()).toBe(3), 60_000)
  expect(await models.jobSettings('stirring')).toEqual({ target_rpm: 600 })
  models.close()
})

test('a run ends for clients with its files on disk', async () => {
  const { paths, writer } = await startUnit()
  await start(paths)
  const models = openReadModels(paths)
  await append(writer, run)
  await eventually(async () => expect((await models.run('r1'))?.status).toBe('done'), 60_000)
  const { directory, slots } = (await models.run('r1')) ?? { directory: null, slots: [] }
  const files = slots.flatMap((slot) => slot.files)
  expect(files).toEqual(['csv', 'json'].map((type) => `slot01/CV/My_Exp_slot01_CV.${type}`))
  for (const file of files) expect(existsSync(join(paths.runsRoot, directory ?? '', file))).toBe(true)
  models.close()
})

test('goes on after a stop where it was, and a rebuild changes nothing', async () => {
  const { paths, writer } = await startUnit()
  const first = await start(paths)
  await append(writer, [order('r1', { make_plot: true }), ...run.slice(1, 2)])
  await first.stop()
  await append(writer, [...run.slice(2), odReading('1', 0.5, '2026-11-20T09:00:00.000Z')])
  const second = await start(paths)
  const models = openReadModels(paths)
  await eventually(async () => expect((await models.run('r1'))?.status).toBe('done'), 60_000)
  await eventually(async () => expect(existsSync(join(paths.runsRoot, '.benchlog/r1.json'))).toBe(true), 60_000)
  const before = { run: await models.run('r1'), files: contents(paths.runsRoot) }
  expect(before.run?.slots[0]?.files).toContain('slot01/CV/My_Exp_slot01_CV.png')
  await second.stop()
  rmSync(paths.runsRoot, { recursive: true })
  const progress: number[] = []
  await rebuildReadModels({ ...paths, onProgress: ({ position }) => progress.push(position) })
  await rebuildRunFiles(paths)
  expect(progress).toEqual([5])
  expect({ run: await models.run('r1'), files: contents(paths.runsRoot) }).toEqual(before)
  models.close()
})

test('says what is wrong when there is no log', async () => {
  const home = temporaryDirectory()
  const paths = {
    eventLogPath: join(home, 'event-log.db'),
    readModelsPath: join(home, 'read-models.db'),
    runFilesStatePath: join(home, 'run-files.db'),
    runsRoot: join(home, 'runs'),
  }
  await expect(startProjections({ ...paths, logger: silentLogger })).rejects.toThrow(ProjectionsEnded)
  await expect(startProjections({ ...paths, logger: silentLogger })).rejects.toThrow(/no event log/)
})

function contents(root: string): Record<string, string> {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => /\w\.\w+$/.test(name))
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(root, name), 'latin1')]))
}

const overwrite = (path: string): void => {
  writeFileSync(path, Buffer.alloc(20_000, 0xa5))
  for (const suffix of ['-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true })
}

test.each(['readModelsPath', 'runFilesStatePath'] as const)(
  'a damaged file at %s is made anew at a start',
  async (which) => {
    const { paths, writer } = await startUnit()
    const first = await start(paths)
    await append(writer, run)
    await first.stop()
    overwrite(paths[which])
    await start(paths)
    const models = openReadModels(paths)
    await eventually(async () => expect((await models.run('r1'))?.status).toBe('done'), 60_000)
    models.close()
  },
)

test.each(['readModelsPath', 'runFilesStatePath'] as const)(
  'a file removed at %s comes back while they run',
  async (which) => {
    const { paths, writer } = await startUnit()
    await start(paths)
    const models = openReadModels(paths)
    await append(writer, run)
    await eventually(async () => expect((await models.run('r1'))?.status).toBe('done'), 60_000)
    rmSync(paths[which])
    await append(writer, [jobRecord(1)])
    await eventually(() => expect(existsSync(paths[which])).toBe(true), 60_000)
    await eventually(async () => {
      expect((await models.run('r1'))?.status).toBe('done')
      expect(await models.jobs()).toHaveLength(1)
      expect(await models.position()).toBe(5)
    }, 60_000)
    models.close()
  },
)

test('a damaged page of the read models is noticed while they are folded, and they are made anew', async () => {
  const { paths, writer } = await startUnit()
  const first = await start(paths)
  await append(writer, [
    ...run,
    ...Array.from({ length: 2000 }, (_, i) => odReading('1', i, '2026-11-20T09:00:00.000Z')),
  ])
  const models = openReadModels(paths)
  await eventually(async () => expect(await models.position()).toBe(2004), 60_000)
  models.close()
  await first.stop()
  const file = readFileSync(paths.readModelsPath)
  // All but the first page, which says that it is a database.
  file.fill(0xa5, 4096)
  writeFileSync(paths.readModelsPath, file)
  await start(paths)
  const again = openReadModels(paths)
  expect((await again.run('r1'))?.run_id).toBe('r1')
  expect(await again.position()).toBe(2004)
  again.close()
})

test('a log that cannot be read on is named, and ends the start', async () => {
  const { paths, writer } = await startUnit()
  await append(
    writer,
    Array.from({ length: 20_000 }, (_, i) => setting('target_rpm', String(i))),
  )
  await writer.close()
  overwritePage(paths.eventLogPath, 'leaf')
  await expect(startProjections({ ...paths, logger: silentLogger })).rejects.toMatchObject({ code: 'log.damaged' })
})

test('a log that cannot be read on while they run is told, and they stay', async () => {
  const { paths, writer } = await startUnit()
  // So many that the run-file sink has noted how far it is, too.
  await append(
    writer,
    Array.from({ length: 12_000 }, (_, i) => setting('target_rpm', String(i))),
  )
  await writer.close()
  const first = await start(paths)
  await first.stop()
  overwritePage(paths.eventLogPath, 'leaf')
  // They are up to date, and do not look back.
  const projections = await start(paths)
  expect(projections.degradations()).toEqual([])
  // Made anew from the first event on, they meet the page.
  rmSync(paths.readModelsPath)
  await eventually(
    () => expect(projections.degradations()).toEqual([expect.stringMatching(/^The projector thread .* is damaged/)]),
    60_000,
  )
})
