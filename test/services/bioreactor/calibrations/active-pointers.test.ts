import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { ActivePointers } from '../../../../services/bioreactor/calibrations/active-pointers.js'
import { openStores } from '../../../../services/bioreactor/calibrations/artifact-service.js'
import { FakeClock } from '../../../support/fake-clock.js'
import { MemoryBroker } from '../../../support/memory-bus.js'
import { silentLogger } from '../../../support/silent-logger.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'
import { calibrationOfVial, estimatorOfVial } from '../../../support/vial-lab.js'

test('pointers are where a Pioreactor has them', () => {
  const home = temporaryDirectory()
  const pointers = new ActivePointers(home, 'active_calibrations')
  expect(pointers.all()).toEqual(new Map())
  pointers.set('od90', 'first')
  pointers.set('od90', 'demo-od90')
  pointers.set('stirring', 'gone')
  pointers.set('stirring', null)
  expect(pointers.all()).toEqual(new Map([['od90', 'demo-od90']]))
  expect(new ActivePointers(home, 'active_estimators').all()).toEqual(new Map())
  const database = new Database(join(home, 'storage/local_persistent_pioreactor_metadata.sqlite'), { readonly: true })
  expect(
    database.prepare('SELECT key, typeof(key) AS k, value, typeof(value) AS v FROM cache_active_calibrations').all(),
  ).toEqual([{ key: 'od90', k: 'text', value: 'demo-od90', v: 'text' }])
  expect(database.prepare("SELECT name, type, pk FROM pragma_table_info('cache_active_calibrations')").all()).toEqual([
    { name: 'key', type: '_key_BLOB', pk: 1 },
    { name: 'value', type: 'BLOB', pk: 0 },
  ])
  database.close()
})

test('a store that is no database any more is put aside, and made anew from what was said to be in use', async () => {
  const dotPioreactor = temporaryDirectory()
  const broker = new MemoryBroker()
  const open = () => {
    const past = [...broker.retained].map(([topic, payload]) => ({ topic, text: payload.toString() }))
    return openStores(
      { unit: 'u1', bus: broker.connect(), clock: new FakeClock(), logger: silentLogger, dotPioreactor },
      past,
    )
  }
  const first = await open()
  await first.calibrations.save('od90', calibrationOfVial(), { activate: true })
  await first.estimators.save('od_fused', estimatorOfVial(), { activate: true })
  const path = join(dotPioreactor, 'storage/local_persistent_pioreactor_metadata.sqlite')
  writeFileSync(path, 'half of what was here, as a card that fails leaves it behind')
  broker.published.length = 0
  const { calibrations, estimators } = await open()
  expect([await calibrations.activeName('od90'), await estimators.activeName('od_fused')]).toEqual(['vial', 'vial'])
  expect(broker.published).toEqual([])
  const aside = readdirSync(join(dotPioreactor, 'storage')).find((name) => name.includes('.damaged-')) ?? ''
  expect(readFileSync(join(dotPioreactor, 'storage', aside), 'utf8')).toContain('half of what was here')
})
