import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { stopJobsCommand } from '../../../../events/system/commands.js'
import { type BioreactorLab, startBioreactorLab } from '../../../support/bioreactor-lab.js'
import { give } from '../../../support/give.js'

const UNIT = '$experiment'

let lab: BioreactorLab
beforeEach(async () => {
  lab = await startBioreactorLab({ residents: true })
  await lab.clock.advance(0)
})
afterEach(async () => {
  const stopped = lab.service.stop()
  await lab.clock.advance(10_000)
  await stopped
  lab.close()
})

describe('mqtt_to_db_streaming', () => {
  const states = (): string[] => lab.published('mqtt_to_db_streaming/$state', UNIT)

  test('sleeps as long as nothing can be recorded', async () => {
    expect(states()).toEqual(['init', 'ready'])
    await lab.service.suspend('the disk is full')
    await lab.service.resume()
    await lab.clock.advance(0)
    expect(states()).toEqual(['init', 'ready', 'sleeping', 'ready'])
  })

  test('is neither paused nor stopped: recording would go on', async () => {
    for (const state of ['sleeping', 'disconnected']) {
      await lab.set('mqtt_to_db_streaming', '$state', state, UNIT)
      expect(lab.published('mqtt_to_db_streaming/$state/set/outcome', UNIT).at(-1)).toContain('"accepted":false')
    }
    await give(lab.service, stopJobsCommand, { experiment: UNIT }, 'stop')
    await lab.clock.advance(10_000)
    expect(states()).toEqual(['init', 'ready'])
    expect(lab.published('monitor/$state', UNIT).at(-1)).toBe('disconnected')
  })

  test('tells how the read models follow, warns of events they could make nothing of, and why they do not go on', async () => {
    const say = async (record: object): Promise<void> => {
      const payload = JSON.stringify({ timestamp: '2026-01-02T03:04:05.000Z', ...record })
      await lab.context.bus.publish('system/u1/projections', payload, { retain: true })
      await lab.clock.advance(0)
    }
    const last = (setting: string): string | undefined => lab.published(`mqtt_to_db_streaming/${setting}`, UNIT).at(-1)
    const messages = (level: string): string[] =>
      lab.published(`logs/app/${level}`, UNIT).map((text) => (JSON.parse(text) as { message: string }).message)
    expect(last('events_behind')).toBeUndefined()
    await say({ state: 'current', events_behind: 0, parked_events: 0, reason: null })
    expect([last('events_behind'), last('parked_events'), last('problem')]).toEqual(['0', '0', undefined])
    await say({ state: 'failed', events_behind: 7, parked_events: 2, reason: 'The disk is full.' })
    await say({ state: 'failed', events_behind: 9, parked_events: 2, reason: 'The disk is full.' })
    expect([last('events_behind'), last('parked_events'), last('problem')]).toEqual(['9', '2', 'The disk is full.'])
    expect(messages('error')).toEqual(['The read models do not go on: The disk is full.'])
    expect(messages('warning')).toEqual([expect.stringContaining('nothing of 2 events')])
    await say({ state: 'current', events_behind: 0, parked_events: 2, reason: null })
    expect([last('events_behind'), last('problem')]).toEqual(['0', ''])
    expect(states()).toEqual(['init', 'ready'])
  })
})
