import { defineError } from '../../../events/core/errors.js'
import { deadline } from '../../../primitives/deadline.js'
import type { JobContext } from '../../jobs/job.js'
import { reasonOf } from '../../jobs/job-errors.js'
import { Releases } from '../../jobs/releases.js'
import { sleepS } from '../../runtime/repeat.js'
import type { Bioreactor } from '../board/board.js'
import type { LedBoard } from '../board/led-board.js'
import type { PwmBoard } from '../board/pwm-board.js'
import type { Heater } from '../temperature/heater.js'

export const SelfTestFailed = defineError(
  'self_test.failed',
  'hardware',
  'A test of the unit found something wrong; the message says what to look at.',
)

/** What takes longer has failed, s. Source: Pioreactor 26.7 `self_test`. */
const LIMIT_S = 180

/** Label of an LED and of a photodiode that sees it. */
export type LedAndPhotodiode = readonly [led: string, photodiode: string]

export interface SelfTestDeps {
  readonly bioreactor: Bioreactor
  readonly leds: LedBoard
  readonly pwm: PwmBoard
  readonly heater: Heater
}

/** What the configuration says of the parts under test. */
export interface SelfTestConfig {
  /** Of the IR LED, %. */
  readonly irPercent: number
  /** Frequency of the mains, Hz; null where it is not configured. */
  readonly mainsHz: number | null
  /** Duty cycle with which stirring begins, %, and its frequency, Hz. */
  readonly stirringDuty: number
  readonly stirringHz: number
}

/** What one test works with. What it claims and switches on, it registers with `user.atEnd`. */
export interface TestBench extends SelfTestDeps {
  readonly job: Pick<JobContext, 'config' | 'clock'>
  readonly config: SelfTestConfig
  readonly user: Pick<JobContext, 'experiment' | 'emit' | 'log' | 'atEnd'>
  /** Aborted when the test is to end: its outputs go off meanwhile. */
  readonly stop: AbortSignal
  /** Tells which photodiodes follow which LED. */
  found(pairs: readonly LedAndPhotodiode[]): void
}

/** One test of the unit. */
export interface UnitTest<Name extends string = string> {
  readonly name: Name
  readonly doc: string
  /** @returns what was found, as a sentence. @throws SelfTestFailed with what to look at */
  run(bench: TestBench): Promise<string>
}

export const defineTest = <const Name extends string>(test: UnitTest<Name>): UnitTest<Name> => test

/** @throws SelfTestFailed unless it is so. @param look what to check, as a sentence */
export function expectSo(isSo: boolean, found: string, look: string): void {
  if (!isSo) throw new SelfTestFailed(found, { remediation: look })
}

/** @throws when the test is to end */
export async function pause({ job: { clock }, stop }: Pick<TestBench, 'job' | 'stop'>, seconds: number): Promise<void> {
  await sleepS(clock, seconds, stop)
  stop.throwIfAborted()
}

/** Runs one test. However it ends, what it switched on is off when this settles; when the job is stopped it goes off at once.
 * @returns what the test found. @throws what it failed with, or found to be late */
export async function runTest(
  test: UnitTest,
  job: JobContext,
  bench: Omit<TestBench, 'job' | 'user' | 'stop'>,
): Promise<string> {
  const { clock, ending, experiment } = job
  const over = new AbortController()
  const stop = AbortSignal.any([ending, over.signal])
  const releases = new Releases((error) =>
    job.log('error', `An output may not be safe: ${reasonOf(error, job.logger)}`),
  )
  job.atEnd(() => releases.run())
  const atEnd: JobContext['atEnd'] = (release) => {
    releases.add(release)
    if (stop.aborted) void releases.run()
  }
  const late = (): never => {
    throw new SelfTestFailed(`It did not end within ${LIMIT_S} s.`, { remediation: 'A part answers too slowly.' })
  }
  try {
    const work = test.run({ ...bench, job, user: { experiment, emit: job.emit, log: job.log, atEnd }, stop })
    return await deadline(LIMIT_S * 1000, work, late, clock)
  } finally {
    over.abort()
    await releases.run()
  }
}
