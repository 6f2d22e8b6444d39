import { beforeEach, describe, expect, test } from 'vitest'
import { type Attempts, createAttempts } from '../../doors/attempts.js'

let now = 0
let attempts: Attempts
beforeEach(() => {
  now = 0
  attempts = createAttempts(() => now)
})

const wrong = (address: string) => attempts.check(address, () => null)
const right = (address: string) => attempts.check(address, () => 'yes')
const inTurn = async (count: number, work: () => Promise<unknown>): Promise<void> => {
  for (let index = 0; index < count; index++) await work()
}

describe('attempts', () => {
  test('with the right secret are never slowed down, however many', async () => {
    await inTurn(10_000, () => right('a'))
    await Promise.all(Array.from({ length: 100 }, () => right('a')))
  })

  test('with a wrong one are five at once, then one a second; who comes when others wait is refused at once', async () => {
    await inTurn(5, () => wrong('a'))
    let compared = 0
    const waiting = Array.from({ length: 50 }, () =>
      attempts.check('a', () => {
        compared++
        return null
      }),
    )
    const refused = (await Promise.allSettled(waiting.slice(3))).filter(({ status }) => status === 'rejected')
    expect(compared).toBe(0)
    expect(refused).toHaveLength(47)
    expect(refused[0]).toMatchObject({
      reason: {
        code: 'auth.too_many_attempts',
        details: { retry_after_s: 1 },
        remediation: expect.stringMatching(/in 1 s/),
      },
    })
    await Promise.all(waiting.slice(0, 3))
    expect(compared).toBe(3)
  })

  test('with the right one after wrong ones pass within a second, and leave no trace', async () => {
    await inTurn(5, () => wrong('a'))
    const begun = performance.now()
    expect(await right('a')).toBe('yes')
    expect(performance.now() - begun).toBeLessThan(1900)
    now += 5000
    await inTurn(4, () => wrong('a'))
    expect(await right('a')).toBe('yes')
  })

  test('of one address do not slow another, nor a connection without an address', async () => {
    await inTurn(5, () => wrong('10.0.0.1'))
    await inTurn(5, () => wrong('10.0.0.2'))
    await inTurn(100, () => attempts.check(undefined, () => null))
    await Promise.all([right('10.0.0.3'), right('::ffff:10.0.0.4')])
  })

  test.each([
    ['2001:db8:1:2::1', '2001:db8:1:2:3:4:5:6', true],
    ['2001:db8::1', '2001:db8:0:0:ffff::', true],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['::1', '::2', true],
    ['::ffff:10.0.0.1', '::ffff:10.0.0.2', false],
  ])('of %s and %s count together: %s', async (one, other, together) => {
    await inTurn(5, () => wrong(one))
    now += 700
    const begun = performance.now()
    await wrong(other)
    expect(performance.now() - begun > 150).toBe(together)
  })

  test('of a hundred thousand addresses are not all remembered', async () => {
    const before = process.memoryUsage().heapUsed
    for (let index = 0; index < 100_000; index++) await wrong(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`)
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(20e6)
  })
})
