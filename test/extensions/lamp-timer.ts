import { Type } from '@sinclair/typebox'
import { defineJob } from '../../events/core/define-job.js'
import { timestampOf } from '../../events/core/timestamp.js'
import type { Board } from '../../services/bioreactor/index.js'
import { createAction, type Job } from '../../services/jobs/job.js'
import { sleepS } from '../../services/runtime/repeat.js'
import { lampEvent } from './lamp-event.js'

export const lampTimer = defineJob({
  name: 'lamp_timer',
  help: 'Light LED B for a time.',
  action: true,
  stopOrder: 'lights',
  parameters: {
    minutes: {
      schema: Type.Number({ minimum: 0.1, maximum: 1440 }),
      unit: 'min',
      doc: 'How long the lamp is lit.',
      option: true,
      config: ['lamp_timer.config', 'minutes'],
      default: 60,
    },
  },
})

export const createLampTimer = ({ leds }: Pick<Board, 'leds'>): Job =>
  createAction(lampTimer, async (job, { minutes }) => {
    const light = async (B: number): Promise<void> => void (await leds.set({ B }, job, 'lamp_timer'))
    job.atEnd(() => light(0))
    await light(100)
    job.emit(lampEvent, { minutes, timestamp: timestampOf(job.clock.now()) })
    await sleepS(job.clock, minutes * 60, job.ending)
  })
