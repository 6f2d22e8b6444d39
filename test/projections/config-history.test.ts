import { expect, test } from 'vitest'
import { openForWriting } from '../../projections/engine/database.js'
import { Projector } from '../../projections/engine/projector.js'
import { projections } from '../../projections/index.js'
import { MemoryLog, type TestEvent } from '../support/memory-log.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

const change = (timestamp: string, data: string): TestEvent => ({
  topic: 'system/u1/config/files/unit_config.ini',
  payload: {
    filename: 'unit_config.ini',
    data,
    client: 'REST from 10.0.0.7',
    changes: [{ section: 'a', option: 'x', before: '1', after: '2' }],
    timestamp,
  },
})

test('every text a configuration file had is kept once, with who changed what', () => {
  const events = [
    change('2026-11-20T09:00:00.000Z', '[a]\nx=2'),
    change('2026-11-20T09:00:00.000Z', '[a]\nx=2'),
    { topic: 'system/u1/config/files/unit_config.ini', payload: '{"data":1}' },
    change('2026-11-20T09:00:01.000Z', ''),
    { topic: 'system/u1/config/files/unit_config.ini' },
  ]
  const database = openForWriting(`${temporaryDirectory()}/read-models.db`)
  const projector = new Projector(database, new MemoryLog(events), projections)
  while (projector.foldNext() > 0);
  projector.createIndexes()
  const rows = database.prepare('SELECT * FROM config_files_histories').all()
  database.close()
  const row = { filename: 'unit_config.ini', client: 'REST from 10.0.0.7' }
  const changes = '[{"section":"a","option":"x","before":"1","after":"2"}]'
  expect(rows).toEqual([
    { ...row, timestamp: '2026-11-20T09:00:00.000Z', data: '[a]\nx=2', changes },
    { ...row, timestamp: '2026-11-20T09:00:01.000Z', data: '', changes },
  ])
})
