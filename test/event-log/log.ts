import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { openEventLogReader, type PagingEventLogReader } from '../../event-log/reader.js'
import { type EventLogWriterOptions, type OwnedEventLogWriter, openEventLogWriter } from '../../event-log/writer.js'
import type { NewEvent } from '../../events/event.js'
import { FakeClock } from '../support/fake-clock.js'
import { silentLogger } from '../support/silent-logger.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

/** An event with defaults for what a test does not care about. */
export const event = (topic: string, payload = 'x', parts: Partial<NewEvent> = {}): NewEvent => ({
  topic,
  payload: Buffer.from(payload),
  qos: 1,
  retain: false,
  client: 'test',
  ...parts,
})

export const logPath = (): string => join(temporaryDirectory(), 'event-log.db')

export async function openWriter(
  options: Partial<EventLogWriterOptions> & { path: string },
): Promise<OwnedEventLogWriter> {
  const writer = await openEventLogWriter({ clock: new FakeClock(), logger: silentLogger, ...options })
  onTestFinished(() => writer.close())
  return writer
}

export function openReader(path: string): PagingEventLogReader {
  const reader = openEventLogReader(path)
  onTestFinished(() => reader.close())
  return reader
}
