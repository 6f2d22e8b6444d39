import { readFileSync } from 'node:fs'
import { Type } from '@sinclair/typebox'
import { afterEach, expect, test } from 'vitest'
import { errorCodeEvent } from '../../../events/bioreactor/outputs.js'
import { defineJob } from '../../../events/core/define-job.js'
import { createJob, type Job } from '../../../services/jobs/job.js'
import { repeat } from '../../../services/runtime/repeat.js'
import { type BioreactorLab, startBioreactorLab } from '../../support/bioreactor-lab.js'

// What stands between the marks is the example of `defineJob`, word for word.
// example
const blinking = defineJob({
  name: 'blinking',
  help: 'Switch an LED on and off.',
  stopOrder: 'lights',
  parameters: {
    period_s: {
      schema: Type.Number({ minimum: 0.1, maximum: 60 }),
      unit: 's',
      doc: 'From one flash to the next.',
      option: true,
      settable: true,
      config: ['blinking.config', 'period_s'],
      default: 2,
    },
    flashes: { schema: Type.Integer({ minimum: 0 }), doc: 'Flashes so far.', published: true },
  },
})

const createBlinkingJob = (flash: () => Promise<void>): Job =>
  createJob(blinking, async (job, { period_s }) => {
    let flashes = 0
    const timer = repeat({
      clock: job.clock,
      intervalS: period_s,
      tick: async () => {
        await flash()
        job.publish('flashes', ++flashes)
      },
      onError: (error) => job.logger.error({ err: error }, 'no flash'),
    })
    job.atEnd(() => timer.stop())
    job.publish('period_s', period_s)
    return {
      setters: { period_s: { apply: (seconds) => job.publish('period_s', seconds) } },
      sleep: async () => timer.pause(),
      wake: async () => timer.resume(),
    }
  })
// end of example

let lab: BioreactorLab | undefined
afterEach(async () => {
  await lab?.service.stop()
  lab?.close()
  lab = undefined
})

test('the example of defineJob is the one that is compiled and run here', () => {
  const own = readFileSync(`${process.cwd()}/test/services/jobs/plugin-example.test.ts`, 'utf8')
  const example = own.split('// example\n')[1]?.split('// end of example')[0]?.trim()
  const comment = readFileSync(`${process.cwd()}/events/core/define-job.ts`, 'utf8')
  const shown = /^ \* ```ts\n([\s\S]*?)\n \* ```$/m.exec(comment)?.[1]
  expect(shown?.replace(/^ \* ?/gm, '')).toBe(example)
})

test('a job of a plugin runs like any other: options, configuration, settings, capability', async () => {
  let flashes = 0
  const flash = async (): Promise<void> => {
    flashes++
  }
  lab = await startBioreactorLab({ jobs: () => [createBlinkingJob(flash)] })
  const capability = lab.broker.retained.get('system/u1/capabilities/jobs/blinking')?.toString()
  expect(JSON.parse(capability ?? '')).toMatchObject({
    options: [{ name: 'period_s', default: null }],
    published_settings: { period_s: { settable: true }, flashes: { settable: false } },
  })
  await lab.run('blinking')
  await lab.clock.advance(9000)
  expect(flashes).toBe(4)
  expect(lab.published('blinking/flashes').at(-1)).toBe('4')
  await lab.set('blinking', 'period_s', '61')
  expect(lab.published('blinking/period_s/set/outcome')[0]).toContain('it must be at most 60 s')
  await lab.set('blinking', '$state', 'disconnected')
  const overrides = [['blinking.config', 'period_s', '0']]
  const task = await lab.run('blinking', {}, { config_overrides: overrides })
  expect(JSON.stringify(task)).toContain('[blinking.config] period_s is 0 s; it must be at least 0.1 s')
})

test('an event that is not as declared is not published, and the log says why', async () => {
  const job = createJob(blinking, async (job) => {
    job.emit(errorCodeEvent, 0)
    job.emit(errorCodeEvent, 3)
    return { setters: {}, sleep: async () => undefined, wake: async () => undefined }
  })
  lab = await startBioreactorLab({ jobs: () => [job] })
  await lab.run('blinking')
  expect(lab.published('monitor/flicker_led_with_error_code')).toEqual(['3'])
  expect(lab.published('logs/app/error').join()).toContain('Not published: value is 0; it must be at least 1.')
})

test('what is misspelt or of another type does not compile', () => {
  const text = { schema: Type.String(), doc: '' }
  const wrong = (): void => {
    // @ts-expect-error the default is no text
    defineJob({ name: 'x', help: '', parameters: { a: { ...text, option: true, default: 1 } } })
    // @ts-expect-error no such property
    defineJob({ name: 'x', help: '', parameters: { a: { ...text, option: true, setable: true } } })
    const setters = { perid_s: { apply: () => undefined } }
    const still = { sleep: async () => undefined, wake: async () => undefined }
    // @ts-expect-error no such setting to set
    createJob(blinking, async () => ({ setters, ...still }))
    createJob(blinking, async (job, params) => {
      // @ts-expect-error no such setting
      job.publish('flash', 1)
      // @ts-expect-error not declared
      job.emit('pid_log/rpm', {})
      // @ts-expect-error a count, no text
      job.emit(errorCodeEvent, 'many')
      // @ts-expect-error no number
      job.publish('flashes', 'many')
      // @ts-expect-error a setting that no start takes
      job.publish('flashes', params.flashes)
      const period: number = params.period_s
      job.publish('period_s', period)
      return { setters: {}, ...still }
    })
    // @ts-expect-error no such setting
    blinking.topic('u1', 'exp', 'flash')
  }
  expect(wrong).toBeTypeOf('function')
})
