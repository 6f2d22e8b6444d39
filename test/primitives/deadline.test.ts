import { expect, test } from 'vitest'
import { deadline } from '../../primitives/deadline.js'
import { FakeClock } from '../support/fake-clock.js'

const never = new Promise<never>(() => undefined)

test('work that is in time decides, and nothing is called afterwards', async () => {
  const clock = new FakeClock()
  let calls = 0
  const late = (): string => {
    calls++
    return 'late'
  }
  expect(await deadline(100, Promise.resolve('done'), late, clock)).toBe('done')
  await expect(deadline(100, Promise.reject(new Error('broken')), late, clock)).rejects.toThrow('broken')
  await clock.advance(1000)
  expect(calls).toBe(0)
})

test('work that is late is answered for, exactly at the limit', async () => {
  const clock = new FakeClock()
  const seen: string[] = []
  const answered = deadline(100, never, () => 'late', clock).then((answer) => seen.push(answer))
  await clock.advance(99)
  expect(seen).toEqual([])
  await clock.advance(1)
  expect(seen).toEqual(['late'])
  await answered
})

test('a late answer may be an error, and what the work does later disturbs nobody', async () => {
  const clock = new FakeClock()
  let fail = (_: Error): void => undefined
  const work = new Promise<void>((_, reject) => {
    fail = reject
  })
  const refuse = (): never => {
    throw new Error('100 ms are over')
  }
  const refused = expect(deadline(100, work, refuse, clock)).rejects.toThrow('100 ms are over')
  await clock.advance(100)
  await refused
  fail(new Error('unhandled, were it not ignored'))
  await clock.advance(1)
})

test('without a clock the limit is real time', async () => {
  expect(await deadline(5, never, () => 'late')).toBe('late')
})
