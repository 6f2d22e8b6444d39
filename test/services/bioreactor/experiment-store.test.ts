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
