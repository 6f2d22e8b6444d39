import { Type } from '@sinclair/typebox'
import { expect, test } from 'vitest'
import { createExperimentFiles } from '../../../services/bioreactor/experiment-store.js'
import { temporaryDirectory } from '../../support/temporary-directory.js'

test('values of several experiments written at once are all kept', async () => {
  const store = createExperimentFiles(temporaryDirectory())
  const experiments = Array.from({ length: 50 }, (_, index) => `experiment ${index}`)
  await Promise.all(experiments.map((experiment, index) => store.write('blanks', experiment, index)))
  const read = await Promise.all(experiments.map((experiment) => store.read('blanks', experiment, Type.Number())))
  expect(read).toEqual(experiments.map((_, index) => index))
})

test('a value can be removed, and one can take the place of those of all other experiments', async () => {
  const store = createExperimentFiles(temporaryDirectory())
  for (const experiment of ['a', 'b', '__proto__']) await store.write('states', experiment, experiment)
  expect(await store.remove('states', 'a')).toBe(true)
  expect(await store.remove('states', 'a')).toBe(false)
  expect(await store.read('states', '__proto__', Type.String())).toBe('__proto__')
  await store.writeOnly('states', 'c', 'c')
  expect(await store.read('states', 'b', Type.String())).toBeNull()
  expect(await store.read('states', 'c', Type.String())).toBe('c')
})
