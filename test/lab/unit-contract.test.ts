import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLabHome, type Lab } from '../support/start-lab.js'
import { contract, idOf, NOT_BUILT } from '../support/unit-contract/contract.js'
import { RECIPES } from '../support/unit-contract/recipes.js'
import { REFUSALS } from '../support/unit-contract/refusals.js'
import { refuse } from '../support/unit-contract/refuse.js'
import { seedUnit } from '../support/unit-contract/seed.js'
import { stepsOf, walk } from '../support/unit-contract/walk.js'
import { until } from '../support/until.js'

const steps = stepsOf(RECIPES)

it('every entry of the contract is walked once', () => {
  expect(contract).toHaveLength(74)
  expect(steps.map(({ entry }) => idOf(entry)).sort()).toEqual(contract.map(idOf).sort())
  const known = contract.map(idOf)
  expect([...NOT_BUILT, ...REFUSALS.map(({ id }) => id)].filter((id) => !known.includes(id))).toEqual([])
})

// Only a whole unit answers from jobs, files, configuration and log together.
describe.each([
  { role: 'alone', leader: 'lab' },
  { role: 'worker', leader: 'site' },
] as const)('a unit as $role', ({ role, leader }) => {
  const home = createLabHome()
  let lab: Lab
  let atFirst: readonly RunningJob[]

  beforeAll(async () => {
    seedUnit(home.home, leader)
    lab = await home.start({ SIMULATED_POTENTIOSTATS: '0' })
    atFirst = await lab.get('/unit_api/jobs/running')
  })
  afterAll(() => home.remove())

  it.each(steps.map((step) => [idOf(step.entry), step] as const))('answers %s', { timeout: 90_000 }, (_, step) =>
    walk(lab, step, role),
  )

  const refusals = REFUSALS.filter((refusal) => refusal.role === undefined || refusal.role === role)
  describe('refuses', () => {
    let before: readonly unknown[] = []
    beforeAll(async () => {
      // The last entry is an import, with which the services start again.
      await until(
        async () => {
          const running = await lab.get<readonly RunningJob[]>('/unit_api/jobs/running')
          const isNew = running.every(({ pid }) => atFirst.every((job) => job.pid !== pid))
          return isNew && running.length === atFirst.length
        },
        'the services to be back',
        60_000,
      )
      before = await stateOf(lab)
    })

    it.each(refusals.map((refusal) => [refusal.id, refusal.because, refusal] as const))('%s for %s', (_, __, refusal) =>
      refuse(lab, refusal),
    )

    it('all of that without a change', async () => {
      expect(await stateOf(lab)).toEqual(before)
    })
  })
})

interface RunningJob {
  readonly pid: number
}

/** What a refused request could have changed. */
const stateOf = (lab: Lab): Promise<readonly unknown[]> =>
  Promise.all(
    ['jobs', 'jobs/running', 'config/merged', 'calibrations', 'estimators', 'bioreactor/experiments/exp1'].map((path) =>
      lab.get(`/unit_api/${path}`),
    ),
  )
