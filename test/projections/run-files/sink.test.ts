// Longer than 300 lines: one sink, everything that it writes.

import { appendFileSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RunFileSink } from '../../../projections/run-files/run-file-sink.js'
import { resetRunFilesDatabase } from '../../../projections/run-files/run-files-database.js'
import { MemoryLog, type TestEvent } from '../../support/memory-log.js'
import { temporaryDirectory } from '../../support/temporary-directory.js'
import { ca, cv, order, report, samples, slotState, T0 } from '../lab-events.js'

function emptyDatabase(): Database.Database {
  const database = new Database(':memory:')
  resetRunFilesDatabase(database)
  return database
}

function write(events: readonly TestEvent[]) {
  const runsRoot = temporaryDirectory()
  const sink = new RunFileSink({
    database: emptyDatabase(),
    log: new MemoryLog(events),
    runsRoot,
  })
  while (sink.advance() > 0);
  return { sink, runsRoot, files: tree(runsRoot) }
}

/** Relative path → content of every file below a directory. */
function tree(root: string): Record<string, string> {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).sort()
  const files = names.filter((name) => statSync(join(root, name)).isFile())
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(root, name), 'utf8')]))
}

const sizes = (root: string): Record<string, number> =>
  Object.fromEntries(Object.entries(tree(root)).map(([path, content]) => [path, content.length]))

const DIRECTORY = 'My_Exp/2025-11-03T10-15-31'
const CSV = `${DIRECTORY}/slot01/CV/My_Exp_slot01_CV.csv`
const finished = (runId: string): TestEvent[] => [
  order(runId),
  slotState(runId, 'running'),
  samples(runId, 0, 2),
  samples(runId, 2, 2),
  slotState(runId, 'done', { reports: [report(0, 4)] }),
]

describe('what the data are worth', () => {
  const columns = [
    { header: 'Current (A)', field: 'current' },
    { header: 'Saturated', field: 'saturated' },
    { header: 'Off set point', field: 'off_target' },
  ] as const
  const mode = { ...cv(4), columns: [...columns] }
  const sidecarOf = (files: Record<string, string>) =>
    JSON.parse(files[CSV.replace('.csv', '.json')] ?? '') as Record<string, unknown>

  test('stands in the rows it is about, and 0 where a block says nothing', () => {
    const marks: Parameters<typeof samples>[3] = {
      saturated: [
        [0, 1],
        [3, 1],
      ],
      off_target: [[1, 2]],
    }
    const { files } = write([
      order('r1', { modes: [mode] }),
      samples('r1', 0, 2, marks),
      samples('r1', 2, 2),
      slotState('r1', 'done', { reports: [report(0, 4)] }),
    ])
    expect(files[CSV]?.split('\r\n').map((row) => row.split(',').slice(1).join())).toEqual([
      'Saturated,Off set point',
      '0.0,1.0',
      '3.0,1.0',
      '0.0,0.0',
      '0.0,0.0',
      '',
    ])
  })

  test('is told once at the top of the sidecar: of the order, of this mode, of its measurement', () => {
    const coded = { code: 'current_saturated', message: 'Clipped.', mode_index: 0 }
    const ofRun = { code: 'clamped', message: 'tia_gain 4 acts as 3.' }
    const ofOther = { code: 'high_value', message: 'Long.', mode_index: 1 }
    const { files } = write([
      order('r1', { modes: [mode, ca(1)], warnings: [ofRun, ofOther] }),
      slotState('r1', 'done', { reports: [{ ...report(0, 4), warnings: [coded] }] }),
    ])
    const sidecar = sidecarOf(files)
    expect(sidecar['warnings']).toEqual([ofRun, coded])
    expect(sidecar['report']).not.toHaveProperty('warnings')
  })

  test('of an early log, in sentences, stays where it was', () => {
    const { files } = write([
      order('r1', { warnings: ['of the order'] }),
      slotState('r1', 'done', { reports: [{ ...report(0, 4), warnings: ['of the device'] }] }),
    ])
    const sidecar = sidecarOf(files)
    expect(sidecar['warnings']).toEqual(['of the order'])
    expect(sidecar['report']).toMatchObject({ warnings: ['of the device'] })
  })

  test('a mode without its result is not done', () => {
    const { files } = write([
      order('r1'),
      slotState('r1', 'failed', { message: 'There is no result.', reports: [{ ...report(0, 4), no_result: true }] }),
    ])
    expect(sidecarOf(files)).toMatchObject({ status: 'failed', message: 'There is no result.' })
  })
})

describe('files of a run', () => {
  test('are a CSV with exactly the rows, and a sidecar with what else is known', () => {
    const { files } = write(finished('r1'))
    expect(Object.keys(files)).toEqual([CSV, CSV.replace('.csv', '.json'), '_run_paths.json'])
    expect(files[CSV]?.split('\r\n')).toEqual([
      'Time (s),Potential (V),Current (A),Cycle,Exp,Applied potential (V)',
      '0.0,0.0,0.0,1.0,1.0,0.0',
      '0.00036,0.009999999776482582,1.0999999631167157e-06,1.0,1.0,0.009999999776482582',
      '0.00072,0.019999999552965164,2.1999999262334313e-06,1.0,1.0,0.019999999552965164',
      '0.00108,0.029999999329447746,3.299999889350147e-06,1.0,1.0,0.029999999329447746',
      '',
    ])
    expect(JSON.parse(files[CSV.replace('.csv', '.json')] ?? '')).toMatchObject({
      run_id: 'r1',
      slot: 'slot01',
      mode: 'CV',
      parameters: { scan_rate: 0.5 },
      status: 'done',
      rows: 4,
      planned_rows: 4,
      tia_ohm: 1000,
      sample_period_s: 0.00036,
      device_serial: 'SN1',
      losses: [],
      simulated: true,
    })
    expect(JSON.parse(files['_run_paths.json'] ?? '')).toEqual({ r1: DIRECTORY })
  })

  test('begin with the header as soon as the mode runs', () => {
    const { files } = write([order('r1'), slotState('r1', 'running')])
    expect(files[CSV]).toBe('Time (s),Potential (V),Current (A),Cycle,Exp,Applied potential (V)\r\n')
  })

  test('grow while measuring', () => {
    const log = new MemoryLog([order('r1'), samples('r1', 0, 2)])
    const runsRoot = temporaryDirectory()
    const sink = new RunFileSink({ database: emptyDatabase(), log, runsRoot })
    const lines = () => readFileSync(join(runsRoot, CSV), 'utf8').split('\r\n').length - 2
    sink.advance()
    expect(lines()).toBe(2)
    log.append(samples('r1', 2, 2))
    sink.advance()
    expect(lines()).toBe(4)
  })

  test('keep the rows of a run that failed, with the reason and the losses in the sidecar', () => {
    const loss = { slot: 'slot01', mode_index: 0, after_row: 2, lost_samples: 7, cause: 'overflow', timestamp: T0 }
    const { files } = write([
      order('r1'),
      samples('r1', 0, 2),
      { topic: 'potentiostat/box/r1/losses', payload: loss, retain: false },
      slotState('r1', 'failed', { message: 'The device was unplugged.' }),
    ])
    expect(files[CSV]?.split('\r\n')).toHaveLength(4)
    expect(JSON.parse(files[CSV.replace('.csv', '.json')] ?? '')).toMatchObject({
      status: 'failed',
      message: 'The device was unplugged.',
      rows: 2,
      losses: [{ after_row: 2, lost_samples: 7, cause: 'overflow' }],
    })
  })

  test('say which mode of a sequence failed, although the driver reports of it too', () => {
    const sidecarOf = (files: Record<string, string>, mode: string) =>
      JSON.parse(files[CSV.replaceAll('CV', mode).replace('.csv', '.json')] ?? '') as {
        status: string
        message: string
      }
    const { files } = write([
      order('r1', { modes: [ca(2), cv(4)] }),
      slotState('r1', 'failed', { message: 'Samples were lost.', reports: [report(0, 2), report(1, 2)] }),
    ])
    expect(sidecarOf(files, 'CA')).toMatchObject({ status: 'done', message: null })
    expect(sidecarOf(files, 'CV')).toMatchObject({ status: 'failed', message: 'Samples were lost.' })
  })

  test('count a repeated block once and note rows that never came', () => {
    const { sink, files } = write([
      order('r1'),
      samples('r1', 0, 2),
      samples('r1', 0, 2),
      samples('r1', 1, 2),
      samples('r1', 5, 1),
      slotState('r1', 'failed'),
    ])
    const times = files[CSV]
      ?.split('\r\n')
      .slice(1, -1)
      .map((line) => Number(line.split(',')[0]))
    expect(times).toEqual([0, 0.00036, 0.00072, 5 * 0.00036])
    expect(sink.store.problems('r1')).toEqual(['rows 3 to 4 of slot01/CV/My_Exp_slot01_CV.csv are missing'])
  })

  test('are joined by the table of an evaluation, as the driver reports it', () => {
    const points = [
      { scan_rate_V_per_s: 0.1, Icap_A: 1e-6, n_cycles: 1 },
      { scan_rate_V_per_s: 0.2, Icap_A: 2.1e-6, n_cycles: 1 },
    ]
    const evaluation = { kind: 'cdl', points, capacitance_f: 1.04e-5, r_squared: 0.99 } as const
    const { files } = write([
      order('r1'),
      samples('r1', 0, 4),
      slotState('r1', 'done', { reports: [{ ...report(0, 4), evaluation }] }),
    ])
    expect(files[CSV.replace('.csv', '_cdl.csv')]).toBe(
      'scan_rate_V_per_s,Icap_A,n_cycles\r\n0.1,1e-06,1\r\n0.2,2.1e-06,1\r\n',
    )
    const sidecar = JSON.parse(files[CSV.replace('.csv', '.json')] ?? '') as { report: unknown }
    expect(sidecar.report).toMatchObject({ evaluation })
  })

  test('are numbered when a mode occurs again', () => {
    const { files } = write([
      order('r1', { modes: [ca(1), cv(1), ca(1)] }),
      slotState('r1', 'done', { reports: [report(0, 0), report(1, 0), report(2, 0)] }),
    ])
    expect(Object.keys(files).filter((path) => path.endsWith('.csv'))).toEqual([
      `${DIRECTORY}/slot01/CA/My_Exp_slot01_CA.csv`,
      `${DIRECTORY}/slot01/CA_2/My_Exp_slot01_CA_2.csv`,
      CSV,
    ])
  })

  test('have names that a file system takes, however long the names of the order', () => {
    const directory = `${'e'.repeat(80)}/${'s'.repeat(80)}/${'1'.repeat(40)}`
    const [experiment_name = '', subdir = '', client_datetime = ''] = directory.split('/')
    const file_layout = { layout: 'wells', file_name: 'full' } as const
    const events = [order('r1', { experiment_name, subdir, client_datetime, file_layout }), slotState('r1', 'running')]
    const csv = Object.keys(write(events).files).filter((path) => path.endsWith('.csv'))
    expect(csv).toEqual([`${directory}/Wells/slot01/CV/${directory.replaceAll('/', '_')}_slot01_CV.csv`])
  })

  test('lie below Wells/ and have full names when the order says so', () => {
    const directory = 'My_Exp/Grp_A/2025-11-03T10-15-31'
    const files = ([layout, file_name]: readonly ['contract' | 'wells', 'short' | 'full']) =>
      Object.keys(
        write([order('r1', { subdir: 'Grp/A', file_layout: { layout, file_name } }), slotState('r1', 'running')]).files,
      )[0]
    expect(files(['wells', 'full'])).toBe(`${directory}/Wells/slot01/CV/My_Exp_Grp_A_2025-11-03_10-15-31_slot01_CV.csv`)
    expect(files(['wells', 'short'])).toBe(`${directory}/Wells/slot01/CV/My_Exp_slot01_CV.csv`)
    expect(files(['contract', 'full'])).toBe(`${directory}/slot01/CV/My_Exp_Grp_A_2025-11-03_10-15-31_slot01_CV.csv`)
  })

  test('of two runs share a directory unless they share a slot', () => {
    const { files } = write([
      order('r1'),
      order('r2', { slots: ['slot02'] }),
      order('r3', { slots: ['slot02', 'slot03'] }),
      order('r3', { experiment_name: 'a repetition of the order' }),
    ])
    expect(JSON.parse(files['_run_paths.json'] ?? '')).toEqual({
      r1: DIRECTORY,
      r2: DIRECTORY,
      r3: `${DIRECTORY}_r3`,
    })
  })

  test('are not begun for an order that cannot be named, which is parked', () => {
    const { sink, files } = write([order('r1', { experiment_name: '..' }), ...finished('r2')])
    expect(files[CSV]).toBeDefined()
    expect(sink.store.run('r1')).toBeNull()
    expect(sink.store.position).toBe(6)
  })
})

describe('after a crash', () => {
  const plan = fc.array(fc.record({ limit: fc.integer({ min: 1, max: 6 }), crash: fc.boolean() }), {
    minLength: 1,
    maxLength: 12,
  })
  const runs = fc
    .shuffledSubarray(['r1', 'r2', 'r3'], { minLength: 1 })
    .map((ids) => ids.flatMap((id, index) => (index === 1 ? finished(id).slice(0, -1) : finished(id))))

  test('anywhere, the files go on to be those of a rebuild, byte for byte', () => {
    fc.assert(
      fc.property(runs, plan, (events, steps) => {
        const runsRoot = temporaryDirectory()
        const log = new MemoryLog(events)
        let database = emptyDatabase()
        let sink = new RunFileSink({ database, log, runsRoot })
        for (const { limit, crash } of steps) {
          const committed = database.serialize()
          const before = sizes(runsRoot)
          sink.advance(limit)
          if (!crash) continue
          // The files of the batch are written, its commit is not; and some writes went half-way.
          database = new Database(committed)
          for (const [path, size] of Object.entries(sizes(runsRoot))) {
            if (path.endsWith('.csv') && size !== before[path]) appendFileSync(join(runsRoot, path), '0.00')
          }
          sink = new RunFileSink({ database, log, runsRoot })
        }
        while (sink.advance() > 0);
        expect(tree(runsRoot)).toEqual(write(events).files)
      }),
      { numRuns: 15 },
    )
  })

  test('a file that lost committed bytes is written anew', () => {
    const runsRoot = temporaryDirectory()
    const database = emptyDatabase()
    const events = [...finished('r0'), ...finished('r1').slice(0, 3)]
    const log = new MemoryLog(events)
    const sink = new RunFileSink({ database, log, runsRoot })
    sink.advance()
    rmSync(join(runsRoot, `${DIRECTORY}_r1`), { recursive: true })
    const again = new RunFileSink({ database, log, runsRoot })
    while (again.advance() > 0);
    expect(tree(runsRoot)).toEqual(write(events).files)
  })

  test('a rebuild over existing files gives the same files', () => {
    const events = [...finished('r1'), ...finished('r2')]
    const { runsRoot, files } = write(events)
    const sink = new RunFileSink({ database: emptyDatabase(), log: new MemoryLog(events), runsRoot })
    while (sink.advance() > 0);
    expect(tree(runsRoot)).toEqual(files)
  })
})
