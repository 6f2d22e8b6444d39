import { expect, test } from 'vitest'
import { retry } from '../../primitives/retry.js'
import { FakeClock } from '../support/fake-clock.js'

/** Fails so often, then succeeds; notes when it was tried. */
function flaky(failures: number, timer = new FakeClock()) {
  const tries: number[] = []
  const work = async (): Promise<string> => {
    tries.push(timer.monotonicMs())
    if (tries.length <= failures) throw new Error(`failure ${tries.length}`)
    return 'done'
  }
  return { timer, tries, work }
}

test('the first success ends it, after pauses of the clock', async () => {
  const { timer, tries, work } = flaky(2)
  const done = retry({ attempts: 4, pauseMs: 500, timer }, work)
  await timer.advance(10_000)
  expect(await done).toBe('done')
  expect(tries).toEqual([0, 500, 1000])
})

test('pauses may grow with the attempts', async () => {
  const { timer, tries, work } = flaky(3)
  const done = retry({ attempts: 4, pauseMs: (attempt) => 50 * attempt, timer }, work)
  await timer.advance(10_000)
  expect(await done).toBe('done')
  expect(tries).toEqual([0, 50, 150, 300])
})

test('the last attempt throws its own error', async () => {
  const { tries, work } = flaky(9)
  await expect(retry({ attempts: 3 }, work)).rejects.toThrow('failure 3')
  expect(tries).toHaveLength(3)
})

test('an error that another attempt would meet too ends it at once', async () => {
  const { tries, work } = flaky(9)
  await expect(retry({ attempts: 3, isWorthAnother: () => false }, work)).rejects.toThrow('failure 1')
  expect(tries).toHaveLength(1)
})

test('between two attempts there is a recovery, and one that fails ends it', async () => {
  const { tries, work } = flaky(2)
  let recoveries = 0
  const recover = async (): Promise<void> => {
    recoveries++
  }
  expect(await retry({ attempts: 3, recover }, work)).toBe('done')
  expect([tries.length, recoveries]).toEqual([3, 2])
  const broken = async (): Promise<void> => {
    throw new Error('no recovery')
  }
  await expect(retry({ attempts: 3, recover: broken }, flaky(1).work)).rejects.toThrow('no recovery')
})
