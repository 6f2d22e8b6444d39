import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SampleBlock } from '../../../../events/potentiostat/samples.js'
import { averagingFactor, BlockBuilder, nineDigits } from '../../../../services/potentiostat/evaluation/samples.js'

const float32 = fc.float({ noNaN: true, noDefaultInfinity: true })

test('nine digits restore every float32 exactly, through JSON too', () => {
  fc.assert(
    fc.property(float32, (value) => {
      const read = JSON.parse(JSON.stringify(nineDigits(value))) as number
      expect(Math.fround(read) === value).toBe(true)
    }),
  )
})

test.each([
  [null, 1],
  [0.0001, 1],
  [0.00036, 1],
  [0.00072, 2],
  [0.05, 139],
])('an interval of %s s averages %i samples', (interval, factor) => expect(averagingFactor(interval)).toBe(factor))

interface Sample {
  readonly current: number
  readonly potential: number
  readonly applied: number
  readonly cycle: number
}

/** The blocks of these samples, handed over in pieces of these sizes in turn. */
function blocksOf(samples: readonly Sample[], average: number, sizes: readonly number[]): readonly SampleBlock[] {
  const blocks: SampleBlock[] = []
  const builder = new BlockBuilder(0, average, (block) => blocks.push(block))
  builder.start(new Date(0))
  for (let first = 0, turn = 0; first < samples.length; turn++) {
    const piece = samples.slice(first, first + (sizes[turn % sizes.length] ?? 1))
    builder.add({
      first,
      current: Float32Array.from(piece, ({ current }) => current),
      potential: Float32Array.from(piece, ({ potential }) => potential),
      applied: Float32Array.from(piece, ({ applied }) => applied),
      cycle: Float64Array.from(piece, ({ cycle }) => cycle),
      step: null,
      saturated: null,
      offTarget: null,
    })
    first += piece.length
  }
  builder.flush()
  return blocks
}

const sample = fc.record({
  current: fc.float({ min: -1, max: 1, noNaN: true }),
  potential: fc.float({ min: -5, max: 5, noNaN: true }),
  applied: fc.float({ min: -5, max: 5, noNaN: true }),
  cycle: fc.integer({ min: 1, max: 3 }),
})
const recording = fc.record({
  samples: fc.array(sample, { minLength: 1, maxLength: 1500, size: 'max' }),
  average: fc.integer({ min: 1, max: 400 }),
  sizes: fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 5 }),
})
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

describe('blocks of any recording', () => {
  test('hold the mean of each group of samples, the last incomplete group included, and the label of its first', () => {
    fc.assert(
      fc.property(recording, ({ samples, average, sizes }) => {
        const blocks = blocksOf(samples, average, sizes)
        const groups = Array.from({ length: Math.ceil(samples.length / average) }, (_, row) =>
          samples.slice(row * average, (row + 1) * average),
        )
        for (const field of ['current', 'potential', 'applied'] as const) {
          const expected = groups.map((group) => nineDigits(mean(group.map((one) => one[field]))))
          expect(blocks.flatMap((block) => block[field] ?? [])).toEqual(expected.map((value) => value + 0))
        }
        const labels = blocks.flatMap(({ cycle }) =>
          (cycle ?? []).flatMap(([value, count]) => new Array<number>(count).fill(value)),
        )
        expect(labels).toEqual(groups.map(([first]) => first?.cycle))
      }),
      { numRuns: 40 },
    )
  })

  test('follow each other without gap or overlap', () => {
    fc.assert(
      fc.property(recording, ({ samples, average, sizes }) => {
        let row = 0
        for (const block of blocksOf(samples, average, sizes)) {
          expect(block.first).toBe(row)
          expect(block.first_sample).toBe(row * average)
          row += block.current.length
        }
        expect(row).toBe(Math.ceil(samples.length / average))
      }),
      { numRuns: 40 },
    )
  })
})
