import { expect, test } from 'vitest'
import { createSerialQueue } from '../../primitives/serial-queue.js'

test('work runs in order, one at a time, and a failure stops nobody else', async () => {
  const serially = createSerialQueue()
  const steps: string[] = []
  const first = serially(async () => {
    steps.push('first starts')
    await Promise.resolve()
    steps.push('first fails')
    throw new Error('broken')
  })
  const second = serially(async () => {
    steps.push('second runs')
    return 2
  })
  await expect(first).rejects.toThrow('broken')
  expect(await second).toBe(2)
  expect(steps).toEqual(['first starts', 'first fails', 'second runs'])
})
