import { type LogMessage, logEvent } from '../../events/bioreactor/logs.js'
import { ledChangeEvent, ledsEvent, pwmEvent } from '../../events/bioreactor/outputs.js'
import { timestampOf } from '../../events/core/timestamp.js'
import { SafeStateRecord, safeStateEvent } from '../../events/system/services.js'
import { LED_CHANNELS } from '../bioreactor/board/board.js'
import type { SafeStateResult } from '../runtime/safe-state-result.js'
import { type Correction, type Death, type RetainedText, recordIn, retained } from './retained.js'

export const OUTPUT_FILTERS = [safeStateEvent.filter()] as const

const OFF = JSON.stringify(Object.fromEntries(LED_CHANNELS.map((channel) => [channel, 0])))

/** What safe-state switched off is off for everybody; what it could not switch off is an alarm. Told once, by the id of the result. */
export function outputsOff(
  world: readonly RetainedText[],
  unit: string,
  { id, at, safe, done, failed }: SafeStateResult,
  { now }: Death,
): readonly Correction[] {
  const topic = safeStateEvent.topic({ unit })
  const told = world.some((value) => value.topic === topic && recordIn(SafeStateRecord, value)?.id === id)
  const record: SafeStateRecord = {
    id,
    safe,
    done: [...done],
    failed: [...failed],
    switched_off_at: timestampOf(new Date(at)),
    timestamp: now,
  }
  return [
    ...(told ? [] : [retained(topic, record), ...failed.map(({ step, reason }) => alarm(unit, step, reason, now))]),
    ...(done.includes('pwm') ? world.flatMap(pwmOff) : []),
    ...(done.includes('leds') ? world.flatMap((value) => ledsOff(value, now)) : []),
  ]
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

function alarm(unit: string, step: string, reason: string, timestamp: string): Correction {
  const message: LogMessage = {
    source: 'app',
    task: 'safe_state',
    message: `${step} could not be switched off and may still be on: ${reason}`,
    level: 'CRITICAL',
    timestamp,
  }
  const topic = logEvent.topic({ unit, experiment: '$experiment', source: message.source, level: 'critical' })
  return { topic, payload: logEvent.encode(message), retain: logEvent.retained }
}
