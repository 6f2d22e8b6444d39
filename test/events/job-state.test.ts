import { expect, it, test } from 'vitest'
import { canTransition, JOB_STATES, type JobState } from '../../events/job-state.js'

const LEGAL: readonly (readonly [JobState, JobState])[] = [
  ['init', 'ready'],
  ['init', 'disconnected'],
  ['init', 'lost'],
  ['ready', 'sleeping'],
  ['ready', 'disconnected'],
  ['ready', 'lost'],
  ['sleeping', 'ready'],
  ['sleeping', 'disconnected'],
  ['sleeping', 'lost'],
  ['disconnected', 'lost'],
]

test.each(JOB_STATES.flatMap((from) => JOB_STATES.map((to) => [from, to] as const)))('%s → %s', (from, to) =>
  expect(canTransition(from, to)).toBe(LEGAL.some(([a, b]) => a === from && b === to)),
)

it('has no way back from lost', () => expect(JOB_STATES.some((to) => canTransition('lost', to))).toBe(false))
