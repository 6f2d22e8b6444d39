import { type Static, Type } from '@sinclair/typebox'
import { defineJob, type ParametersOf, type SettingsOf } from '../../../events/core/define-job.js'
import { defineError, InvalidInput, toErrorRecord } from '../../../events/core/errors.js'
import { perChannel } from '../../../events/core/parameter.js'
import { createAction, type Job, type JobContext } from '../../jobs/job.js'
import type { ExperimentStore } from '../experiment-store.js'
import { runTest, type SelfTestConfig, type SelfTestDeps } from './test-bench.js'
import { unitTests } from './unit-tests.js'

const SelfTestRefused = defineError(
  'self_test.unit_busy',
  'state',
  'A job runs that uses what a self test lights, stirs and heats.',
)

const names = unitTests.map(({ name }) => name)
const docOf = new Map<string, string>(unitTests.map(({ name, doc }) => [name, doc]))

/** 1 passed, 0 failed. */
const Result = Type.Integer({ minimum: 0, maximum: 1 })
const Findings = Type.Record(
  Type.String(),
  Type.Object({
    result: Type.Union([Type.Literal('passed'), Type.Literal('failed'), Type.Literal('not_run')]),
    found: Type.String(),
  }),
)

/** Source of names and defaults: Pioreactor 26.7 `self_test`; `findings` is ours. */
export const selfTest = defineJob({
  name: 'self_test',
  help: 'Check inputs and outputs of the unit.',
  action: true,
  ofUnit: true,
  stopOrder: 'outputs',
  parameters: {
    k: { schema: Type.String(), doc: 'Only the tests with this in their name.', option: true },
    retry_failed: { schema: Type.Boolean(), doc: 'Only the tests that failed last.', option: { type: 'text' } },
    ...perChannel('', names, (name) => ({
      schema: Result,
      published: true,
      persist: true,
      doc: `${docOf.get(name) ?? ''} 1 passed, 0 failed; cleared when a run begins in which it is to be tested.`,
    })),
    all_tests_passed: {
      schema: Result,
      published: true,
      persist: true,
      doc: '1 when no test failed when it last ran, else 0; cleared while tests run, and when they are interrupted.',
    },
    correlations_between_pds_and_leds: {
      schema: Type.Array(Type.Array(Type.String(), { minItems: 2, maxItems: 2 })),
      published: true,
      persist: true,
      doc: 'Pairs of the label of an LED and that of a photodiode that sees it.',
    },
    findings: {
      schema: Findings,
      published: true,
      persist: true,
      doc: 'What each test of the run found, in words; not_run for one whose turn has not come, or never came.',
    },
    ir_led_intensity: {
      schema: Type.Number({ minimum: 0, maximum: 100 }),
      unit: '%',
      doc: 'Intensity of the IR LED, as of od_reading; with auto it is 80.',
      keywords: ['auto'],
      config: ['od_reading.config', 'ir_led_intensity'],
      default: 80,
    },
    local_ac_hz: {
      schema: Type.Number({ exclusiveMinimum: 0 }),
      unit: 'Hz',
      doc: 'Frequency of the mains, as of od_reading.',
      config: ['od_reading.config', 'local_ac_hz'],
    },
    stirring_duty: {
      schema: Type.Number({ minimum: 0, maximum: 100 }),
      unit: '%',
      doc: 'Duty cycle around which stirring is tested, as of stirring.',
      config: ['stirring.config', 'initial_duty_cycle'],
      default: 30,
    },
    stirring_hz: {
      schema: Type.Number({ exclusiveMinimum: 0 }),
      unit: 'Hz',
      doc: 'Frequency of its PWM output, as of stirring.',
      config: ['stirring.config', 'pwm_hz'],
      default: 200,
    },
  },
})

type SelfTestJob = JobContext<SettingsOf<typeof selfTest>>
type UnitTests = readonly (typeof unitTests)[number][]

/** They use what is tested. */
const IN_THE_WAY = [
  'od_reading',
  'temperature_automation',
  'stirring',
  'dosing_automation',
  'led_automation',
  'od_calibration',
] as const

const OF_UNIT = '$experiment'
/** The name that a Pioreactor gives it. */
const STORE = 'self_test_results'
const Results = Type.Record(Type.String(), Result)
const AUTO_IR_PERCENT = 80

export interface SelfTestActionDeps extends SelfTestDeps {
  readonly store: ExperimentStore
}

export function createSelfTestAction(deps: SelfTestActionDeps): Job {
  const { store } = deps
  let isRunning = false
  return createAction(selfTest, async (job, params) => {
    refuseBeside(job, isRunning)
    // Before anything is waited for: of two that are asked for at once one runs.
    isRunning = true
    try {
      const results = (await store.read(STORE, OF_UNIT, Results)) ?? {}
      const tests = chosen(params, results)
      if (tests.length === 0) {
        job.log('notice', 'No test failed when it last ran; there is nothing to repeat.')
        return
      }
      await runAll(job, tests, deps, configOf(params), results)
    } finally {
      isRunning = false
    }
  })
}

/** @throws SelfTestRefused */
function refuseBeside({ peers }: JobContext, isRunning: boolean): void {
  const busy = IN_THE_WAY.find((name) => peers.find(name) !== undefined) ?? (isRunning ? 'self_test' : undefined)
  if (busy === undefined) return
  throw new SelfTestRefused(`${busy} runs; stop it, then test the unit.`)
}

/** @throws InvalidInput when no test is called so */
function chosen(
  { k, retry_failed: again }: Pick<ParametersOf<typeof selfTest>, 'k' | 'retry_failed'>,
  results: Static<typeof Results>,
): UnitTests {
  const meant = unitTests.filter(({ name }) => k === undefined || name.includes(k))
  if (meant.length === 0) {
    throw new InvalidInput(`k is '${k}'; it must be part of a name: ${names.join(', ')}.`, {
      details: { field: 'k', value: k },
    })
  }
  return again === true ? meant.filter(({ name }) => results[name] === 0) : meant
}

const configOf = (params: ParametersOf<typeof selfTest>): SelfTestConfig => ({
  irPercent: params.ir_led_intensity === 'auto' ? AUTO_IR_PERCENT : params.ir_led_intensity,
  mainsHz: params.local_ac_hz ?? null,
  stirringDuty: params.stirring_duty,
  stirringHz: params.stirring_hz,
})

async function runAll(
  job: SelfTestJob,
  tests: UnitTests,
  deps: SelfTestActionDeps,
  config: SelfTestConfig,
  before: Static<typeof Results>,
): Promise<void> {
  const { ending } = job
  let results = before
  let findings: Static<typeof Findings> = Object.fromEntries(
    tests.map(({ name }) => [name, { result: 'not_run', found: '' }]),
  )
  const tell = (name: string, result: 'passed' | 'failed', found: string): void => {
    findings = { ...findings, [name]: { result, found } }
    job.publish('findings', findings)
  }
  // Registered first, so that it comes last: by then everything is off.
  job.atEnd(() => {
    const left = Object.keys(findings).filter((name) => findings[name]?.result === 'not_run')
    if (left.length > 0) job.log('warning', `Interrupted; not run: ${left.join(', ')}.`)
  })
  for (const name of [...tests.map((test) => test.name), 'all_tests_passed' as const]) {
    job.clear(selfTest.topic(job.unit, job.experiment, name))
  }
  job.publish('findings', findings)

  for (const test of tests) {
    ending.throwIfAborted()
    const verdict = await runTest(test, job, {
      ...deps,
      config,
      found: (pairs) =>
        job.publish(
          'correlations_between_pds_and_leds',
          pairs.map((pair) => [...pair]),
        ),
    }).then(
      (found) => ({ result: 'passed', found }) as const,
      (error: unknown) => ({ result: 'failed', found: wordsOf(error) }) as const,
    )
    // What a stop cut short has neither passed nor failed.
    ending.throwIfAborted()
    const { result, found } = verdict
    const value = result === 'passed' ? 1 : 0
    results = { ...results, [test.name]: value }
    await deps.store.write(STORE, OF_UNIT, results)
    job.publish(test.name, value)
    tell(test.name, result, found)
    job.log(result === 'passed' ? 'info' : 'warning', `${test.name} ${result}: ${found}`)
  }
  const failed = names.filter((name) => results[name] === 0)
  job.publish('all_tests_passed', failed.length === 0 ? 1 : 0)
  const count = `${tests.length} ${tests.length === 1 ? 'test' : 'tests'} run`
  job.log('notice', failed.length === 0 ? `${count}, none failed.` : `${count}; failed: ${failed.join(', ')}.`)
}

/** What went wrong, and what to look at. */
function wordsOf(error: unknown): string {
  const { message, remediation } = toErrorRecord(error)
  return remediation === undefined ? message : `${message} ${remediation}`
}
