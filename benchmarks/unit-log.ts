import { openForWriting } from '../event-log/database.js'
import { LogState } from '../event-log/log-state.js'

/** First event. */
const START_MS = Date.parse('2026-11-20T09:00:00.000Z')
/** From one event to the next. */
const INTERVAL_MS = 500

/** A unit's mix: two OD channels, stirring, temperature, a setting, and now and then a dose. */
function eventAt(index: number): { readonly topic: string; readonly payload: string } {
  const timestamp = `${new Date(START_MS + index * 500).toISOString().slice(0, -1)}000Z`
  const unit = 'pioreactor/u1/growth'
  const od = (channel: string) => ({
    calibrated: 0,
    timestamp,
    angle: '90',
    od: 0.1 + index * 1e-7,
    channel,
    ir_led_intensity: 80,
  })
  switch (index % 10) {
    case 0:
    case 1:
    case 2:
      return { topic: `${unit}/od_reading/od1`, payload: JSON.stringify(od('1')) }
    case 3:
    case 4:
    case 5:
      return { topic: `${unit}/od_reading/od2`, payload: JSON.stringify(od('2')) }
    case 6:
    case 7:
      return {
        topic: `${unit}/stirring/measured_rpm`,
        payload: JSON.stringify({ measured_rpm: 500 + (index % 7), timestamp }),
      }
    case 8:
      return {
        topic: `${unit}/temperature_automation/temperature`,
        payload: JSON.stringify({ timestamp, temperature: 30.25 }),
      }
    default:
      return index % 100 === 9
        ? {
            topic: `${unit}/dosing_events`,
            payload: JSON.stringify({ volume_change: 0.5, event: 'add_media', source_of_event: 'bench', timestamp }),
          }
        : { topic: `${unit}/stirring/duty_cycle`, payload: String(30 + (index % 11)) }
  }
}

/** Makes a log of so many events, with what follows from them. */
export function writeUnitLog(path: string, events: number): void {
  const log = openForWriting(path)
  const insert = log.prepare('INSERT INTO recorded VALUES (?, ?, ?, ?, 1, ?, ?, NULL)')
  log.transaction(() => {
    for (let index = 0; index < events; index++) {
      const { topic, payload } = eventAt(index)
      const retain = topic.endsWith('events') ? 0 : 1
      insert.run(index + 1, START_MS + index * INTERVAL_MS, topic, Buffer.from(payload), retain, 'bench')
    }
    new LogState(log)
  })()
  log.close()
}
