import { afterEach, beforeEach, expect, test } from 'vitest'
import { stopJobsCommand } from '../../../../events/system/commands.js'
import type { LedBoard } from '../../../../services/bioreactor/board/led-board.js'
import { type BioreactorLab, startBioreactorLab } from '../../../support/bioreactor-lab.js'
import { give } from '../../../support/give.js'

let lab: BioreactorLab
let leds: LedBoard
beforeEach(async () => {
  lab = await startBioreactorLab({
    jobs: (board) => {
      leds = board.leds
      return []
    },
  })
})
afterEach(async () => {
  const stopped = lab.service.stop()
  await lab.clock.advance(5000)
  await stopped
  expect(lab.bioreactor.leds.state).toEqual(ALL_DARK)
  lab.close()
})

const ALL_DARK = { A: 0, B: 0, C: 0, D: 0 }
const run = (options: Record<string, unknown>, more = {}) => lab.run('led_intensity', options, more)
const stop = async (filter: { job_name?: string; all?: true }): Promise<void> => {
  const stopped = give(lab.service, stopJobsCommand, filter, 'stop')
  await lab.clock.advance(100)
  await stopped
}
const changes = (): unknown[] =>
  lab.published('led_change_events').map((text) => {
    const { timestamp: _, ...change } = JSON.parse(text) as Record<string, unknown>
    return change
  })
const states = (): string[] => lab.published('led_intensity/$state')
const messages = (level: string): string[] =>
  lab.published(`logs/app/${level}`).map((text) => (JSON.parse(text) as { message: string }).message)

test('LEDs shine as they were set, are told, and go out when the action is stopped', async () => {
  expect(await run({ A: '10', C: 25.5, 'source-of-event': 'UI' })).toMatchObject({
    status: 'succeeded',
    result: { ok: true },
  })
  expect(lab.bioreactor.leds.state).toEqual({ A: 10, B: 0, C: 25.5, D: 0 })
  expect(changes()).toEqual([
    { channel: 'A', intensity: 10, source_of_event: 'UI' },
    { channel: 'C', intensity: 25.5, source_of_event: 'UI' },
  ])
  expect(JSON.parse(lab.published('leds/intensity').at(-1) ?? '')).toEqual({ A: 10, B: 0, C: 25.5, D: 0 })
  expect(messages('info').filter((message) => message.startsWith('Updated LED'))).toHaveLength(2)
  expect(states()).toEqual(['init', 'ready'])

  await stop({ job_name: 'led_intensity' })
  expect(lab.bioreactor.leds.state).toEqual(ALL_DARK)
  expect(states().at(-1)).toBe('disconnected')
  expect(changes().slice(2)).toEqual([
    { channel: 'A', intensity: 0, source_of_event: 'UI' },
    { channel: 'C', intensity: 0, source_of_event: 'UI' },
  ])
})

test('a second one adds to the first and answers for both; darkness ends it', async () => {
  await run({ A: 10 })
  await run({ B: 20 })
  await lab.clock.advance(2000)
  expect(lab.bioreactor.leds.state).toMatchObject({ A: 10, B: 20 })
  expect(running()).toHaveLength(1)
  await run({ A: 0 })
  await lab.clock.advance(2000)
  expect(lab.bioreactor.leds.state).toMatchObject({ A: 0, B: 20 })
  expect(running()).toHaveLength(1)
  await run({ A: 0, B: 0, C: 0, D: 0 })
  await lab.clock.advance(2000)
  expect(lab.bioreactor.leds.state).toEqual(ALL_DARK)
  expect(running()).toEqual([])
  expect(lab.broker.retained.get('pioreactor/u1/exp/led_intensity/$state')?.toString()).toBe('disconnected')
})

/** Jobs that run, by the jobs table. */
const running = (): string[] =>
  [...lab.broker.retained]
    .filter(([topic]) => topic.startsWith('system/u1/jobs/'))
    .map(([, payload]) => JSON.parse(payload.toString()) as { job_name: string; is_running: boolean })
    .filter(({ is_running }) => is_running)
    .map(({ job_name }) => job_name)

test('stop all switches them off', async () => {
  await run({ D: 100 })
  await stop({ all: true })
  expect(lab.bioreactor.leds.state).toEqual(ALL_DARK)
})

test('a channel that an optical reading has locked is set when it is free, the others at once', async () => {
  const lock = leds.lock(['B'])
  const id = await lab.begin('led_intensity', { B: 30, C: 40 })
  await lab.clock.advance(400)
  expect(lab.bioreactor.leds.state).toMatchObject({ B: 0, C: 40 })
  leds.unlock(lock)
  await lab.clock.advance(1100)
  expect(lab.task(id)).toMatchObject({ status: 'succeeded' })
  expect(lab.bioreactor.leds.state).toMatchObject({ B: 30, C: 40 })
})

test('a channel that stays locked is left alone, with a warning', async () => {
  const lock = leds.lock(['B'])
  await run({ B: 30, C: 40 })
  await lab.clock.advance(5000)
  expect(lab.bioreactor.leds.state).toMatchObject({ B: 0, C: 40 })
  expect(messages('warning')).toEqual(['LEDs B are in use by another job and were not set.'])
  expect(changes()).toHaveLength(1)
  leds.unlock(lock)
})

test('what is stopped while a reading keeps its LED dark does not shine again after it', async () => {
  await run({ B: 30 })
  const lock = leds.lock(['B'])
  await leds.set({ B: 0 }, { emit: () => undefined, log: () => undefined, experiment: 'exp' }, undefined, lock)
  const stopped = give(lab.service, stopJobsCommand, { job_name: 'led_intensity' }, 'stop')
  await lab.clock.advance(300)
  await leds.set({ B: 30 }, { emit: () => undefined, log: () => undefined, experiment: 'exp' }, undefined, lock)
  leds.unlock(lock)
  await lab.clock.advance(600)
  await stopped
  expect(lab.bioreactor.leds.state).toEqual(ALL_DARK)
})

test('what is stopped while a reading hangs goes out, and does not shine when the reading ends', async () => {
  await run({ B: 30 })
  const reader = { emit: () => undefined, log: () => undefined, experiment: 'exp' }
  const lock = leds.lock(['B'])
  const stopped = give(lab.service, stopJobsCommand, { job_name: 'led_intensity' }, 'stop')
  await lab.clock.advance(3000)
  await stopped
  expect(lab.bioreactor.leds.state).toEqual(ALL_DARK)
  await leds.set({ B: 30 }, reader, undefined, lock)
  leds.unlock(lock)
  expect(lab.bioreactor.leds.state).toEqual(ALL_DARK)
  expect(messages('warning')).toEqual([])
})

test.each([{ A: 101 }, { A: -1 }, { A: 'nan' }, { A: 'bright' }, { E: 10 }, {}])(
  'refuses %o, and nothing shines',
  async (options) => {
    const task = await run(options)
    expect(task).toMatchObject({ status: 'failed' })
    expect(lab.bioreactor.leds.state).toEqual(ALL_DARK)
    expect(lab.published('leds/intensity')).toEqual([])
    expect(running()).toEqual([])
  },
)

test('says nothing of each LED when it is told so', async () => {
  await run({ A: 10, no_log: null })
  expect(changes()).toEqual([])
  expect(messages('info').filter((message) => message.startsWith('Updated LED'))).toEqual([])
  expect(lab.published('leds/intensity')).toHaveLength(1)
})

test('an LED driver that fails ends it, and what it had set goes out', async () => {
  await run({ A: 10 })
  lab.bioreactor.broken = true
  expect(JSON.stringify(await run({ B: 20 }))).toContain('does not answer')
  await lab.clock.advance(5000)
  expect(lab.bioreactor.leds.state).toEqual({ A: 10, B: 0, C: 0, D: 0 })
  expect(running()).toEqual(['led_intensity'])
})

test('an inactive unit does nothing', async () => {
  expect(await run({ A: 10 }, { env: { ACTIVE: '0' } })).toMatchObject({ status: 'failed' })
  expect(lab.bioreactor.leds.state).toEqual(ALL_DARK)
})
