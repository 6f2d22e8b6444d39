import type { Static, TSchema } from '@sinclair/typebox'
import type { EventDefinition, Levels, PayloadOf } from '../../events/core/define-event.js'
import { checkJson } from '../../events/schema.js'
import { matchesFilter } from '../../events/topic.js'

/** A retained value, never empty. */
export interface RetainedText {
  readonly topic: string
  readonly text: string
  /** Where it stands in the log, where that is at hand. */
  readonly position?: number
}

/** Looks up what is retained: the values of every topic that matches any of the filters. */
export type FindRetained = (filters: readonly string[]) => Promise<readonly RetainedText[]>

/** Looks up what was published of late on the topics that match a filter, retained or not, in the order of the log. */
export type FindLate = (filter: string) => Promise<readonly Required<RetainedText>[]>

/** What is to be published so that the retained values are true. An empty payload clears the topic. */
export interface Correction {
  readonly topic: string
  readonly payload: string
  readonly retain: boolean
}

/** How and when the services process died. */
export interface Death {
  /** When it was last known to live, RFC 3339. */
  readonly at: string
  readonly now: string
  /** How many times as fast as the machine's the time of the unit is; 1 by default. */
  readonly speed?: number
}

/** The record, or null when it is none: what cannot be read claims nothing. */
export function recordIn<S extends TSchema>(schema: S, { text, topic }: RetainedText): Static<S> | null {
  try {
    return checkJson(schema, text, topic)
  } catch {
    return null
  }
}

/** Payloads of the retained events of one kind; what cannot be read is left out. */
export function recordsOf<E extends EventDefinition>(
  values: readonly RetainedText[],
  event: E,
  levels: Partial<Levels<E['pattern']>>,
): readonly PayloadOf<E>[] {
  const filter = event.filter(levels)
  const found = values.filter(({ topic }) => matchesFilter(filter, topic))
  return found.flatMap(({ text }) => {
    try {
      return [event.parse(text) as PayloadOf<E>]
    } catch {
      return []
    }
  })
}

export const retained = (topic: string, payload: unknown): Correction => ({
  topic,
  payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
  retain: true,
})
