import { ledChangeEvent, ledsEvent, pwmEvent } from '../../../events/bioreactor/outputs.js'
import type { PartAftermath } from '../../aftermath/aftermath.js'
import { type Correction, type RetainedText, retained } from '../../aftermath/retained.js'
import { LED_CHANNELS } from './board.js'

const OFF = JSON.stringify(Object.fromEntries(LED_CHANNELS.map((channel) => [channel, 0])))

/** What safe-state switched off is off for everybody. */
export const outputsOff: PartAftermath = {
  filters: [pwmEvent.filter(), ledsEvent.filter()],
  corrections: ({ world, death, outputs }) => [
    ...(outputs?.done.includes('pwm') === true ? world.flatMap(pwmOff) : []),
    ...(outputs?.done.includes('leds') === true ? world.flatMap((value) => ledsOff(value, death.now)) : []),
  ],
}

function pwmOff(value: RetainedText): readonly Correction[] {
  const isPwm = pwmEvent.levels(value.topic) !== null
  return isPwm && value.text !== '{}' ? [retained(value.topic, '{}')] : []
}

/** The complete state, and a change for each channel that shone. */
function ledsOff(value: RetainedText, timestamp: string): readonly Correction[] {
  const topic = ledsEvent.levels(value.topic)
  if (topic === null || value.text === OFF) return []
  const levels = intensities(value.text)
  const changed = LED_CHANNELS.filter((channel) => levels[channel] !== 0 && levels[channel] !== undefined)
  const changes = changed.map((channel) => ({
    topic: ledChangeEvent.topic(topic),
    payload: ledChangeEvent.encode({ channel, intensity: 0, source_of_event: 'safe_state', timestamp }),
    retain: ledChangeEvent.retained,
  }))
  return [...changes, retained(value.topic, OFF)]
}

function intensities(text: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(text)) as Readonly<Record<string, unknown>>
  } catch {
    return {}
  }
}
