import { Type } from '@sinclair/typebox'
import { defineEvent } from '../core/define-event.js'
import { ODReading } from './readings.js'

export const blankMeansEvent = defineEvent({
  pattern: 'pioreactor/<unit>/<experiment>/od_blank/means',
  retained: true,
  payload: Type.Record(Type.String(), Type.Number()),
  doc: 'Mean reading of medium without cells by photodiode; cleared by `od_blank delete`.',
})

export const blankMeanEvent = defineEvent({
  pattern: 'pioreactor/<unit>/<experiment>/od_blank/mean/<channel>',
  retained: true,
  payload: ODReading,
  doc: 'The same of one photodiode, as a reading with its angle and its time.',
})
