import { Type } from '@sinclair/typebox'
import { lightAt } from '../../control/light-cycle.js'
import { ledAutomation } from '../led-automation.js'

const Minutes = Type.Number({ minimum: 0, maximum: 100_000 })

interface Memory {
  /** Null before the first phase. */
  readonly isLight: boolean | null
}

const NO_PHASE: Memory = { isLight: null }

/** Light and darkness by turns on channels D and C, light first. The cycle goes on during a pause, with the LEDs dark.
 * Source: Pioreactor 26.7. */
export const lightDarkCycle = ledAutomation(
  {
    name: 'light_dark_cycle',
    help: 'Switch LEDs C and D on and off by turns, as day and night.',
    parameters: {
      light_intensity: {
        schema: Type.Number({ minimum: 0, maximum: 100 }),
        unit: '%',
        step: 1,
        doc: 'Of LEDs C and D by day.',
        settable: true,
        default: 5,
      },
      light_duration_minutes: {
        schema: Minutes,
        unit: 'min',
        step: 30,
        doc: 'Length of the day; 0 keeps it dark.',
        settable: true,
        default: 960,
      },
      dark_duration_minutes: {
        schema: Minutes,
        unit: 'min',
        step: 30,
        doc: 'Length of the night; 0 keeps it light.',
        settable: true,
        default: 480,
      },
    },
  },
  {
    schedule: 'continuous',
    memory: NO_PHASE,
    decide: ({ seen: { elapsedS }, settings }) => {
      const { light_intensity, light_duration_minutes: light, dark_duration_minutes: dark } = settings
      const { isLight, forS } = lightAt({ light, dark }, elapsedS)
      const level = isLight ? light_intensity : 0
      return { memory: { isLight }, want: { D: level, C: level }, ...(forS === null ? {} : { askAgainS: forS }) }
    },
    report: (done, want, { memory, seen: { elapsedS }, settings }) => {
      const { light_duration_minutes: light, dark_duration_minutes: dark } = settings
      const { isLight } = lightAt({ light, dark }, elapsedS)
      if (isLight === memory.isLight || Object.keys(done).length === 0) return null
      const message = isLight ? `turned on LEDs C and D at ${want.D} %` : 'turned off LEDs C and D'
      return { event_name: 'ChangedLedIntensity', message, data: null }
    },
  },
)
