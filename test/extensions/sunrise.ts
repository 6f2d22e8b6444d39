import { Type } from '@sinclair/typebox'
import { ledAutomation } from '../../services/bioreactor/leds/led-automation.js'

export const sunrise = ledAutomation(
  {
    name: 'sunrise',
    help: 'Brighten LED B slowly.',
    parameters: {
      minutes: {
        schema: Type.Number({ minimum: 1, maximum: 600 }),
        unit: 'min',
        step: 1,
        doc: 'From dark to full intensity.',
        settable: true,
        default: 30,
      },
    },
  },
  {
    schedule: 'continuous',
    decide: ({ seen: { elapsedS }, settings: { minutes } }) => {
      const level = Math.min(100, Math.round(elapsedS / (0.6 * minutes)))
      return { want: { B: level }, askAgainS: level < 100 ? 0.6 * minutes : undefined }
    },
  },
)
