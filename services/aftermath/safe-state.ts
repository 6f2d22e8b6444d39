import { type LogMessage, logEvent } from '../../events/bioreactor/logs.js'
import { timestampOf } from '../../events/core/timestamp.js'
import { SafeStateRecord, safeStateEvent } from '../../events/system/services.js'
import type { SafeStateResult } from '../runtime/safe-state-result.js'
import { type Correction, type Death, type RetainedText, recordIn, retained } from './retained.js'

/** What safe-state did, and an alarm for each output that it could not switch off. Told once, by the id of the result. */
export function safeStateTold(
  world: readonly RetainedText[],
  unit: string,
  { id, at, safe, done, failed }: SafeStateResult,
  { now }: Death,
): readonly Correction[] {
  const topic = safeStateEvent.topic({ unit })
  if (world.some((value) => value.topic === topic && recordIn(SafeStateRecord, value)?.id === id)) return []
  const record: SafeStateRecord = {
    id,
    safe,
    done: [...done],
    failed: [...failed],
    switched_off_at: timestampOf(new Date(at)),
    timestamp: now,
  }
  return [retained(topic, record), ...failed.map(({ step, reason }) => alarm(unit, step, reason, now))]
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
