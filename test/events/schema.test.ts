import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { check, checkJson, violations } from '../../events/schema.js'

const Dose = Type.Object(
  { volume_ml: Type.Number({ minimum: 0, maximum: 20 }), pump: Type.String({ enum: ['media', 'waste'] }) },
  { additionalProperties: false },
)

describe('checking a value', () => {
  it('returns it when it fits', () =>
    expect(check(Dose, { volume_ml: 3, pump: 'media' })).toEqual({ volume_ml: 3, pump: 'media' }))

  it('names every field, value and limit that is wrong', () => {
    expect(
      violations(Dose, { volume_ml: 21, pump: 'beer', extra: 1 })
        .map(({ message }) => message)
        .sort(),
    ).toEqual([
      'extra is not a known field.',
      'pump is "beer"; allowed are ["media","waste"].',
      'volume_ml is 21; it must be at most 20.',
    ])
  })

  it('names what is missing', () =>
    expect(violations(Dose, { volume_ml: 1 }).map(({ field }) => field)).toEqual(['pump']))

  it('appends the unit to value and limit', () =>
    expect(() => check(Type.Number({ maximum: 50, unit: '°C' }), 60, 'target')).toThrow(
      'target is 60 °C; it must be at most 50 °C.',
    ))

  it('says when text is not JSON', () => expect(() => checkJson(Dose, '{', 'dose')).toThrow('dose is not JSON'))
})
