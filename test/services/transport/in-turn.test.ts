import { expect, test } from 'vitest'
import { createInTurn } from '../../../services/transport/in-turn.js'

test('work runs in order, one at a time, and a failure stops nobody else', async () => {
  const inTurn = createInTurn()
  const steps: string[] = []
  const first = inTurn(async () => {
    steps.push('first starts')
    await Promise.resolve()
    steps.push('first fails')
    throw new Error('broken')
  })
  const second = inTurn(async () => {
    steps.push('second runs')
    return 2
  })
  await expect(first).rejects.toThrow('broken')
  expect(await second).toBe(2)
  expect(steps).toEqual(['first starts', 'first fails', 'second runs'])
})
