import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { ActivePointers } from '../../../../services/bioreactor/calibrations/active-pointers.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'

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
