import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Static, TSchema } from '@sinclair/typebox'
import type { Calibration } from '../../events/bioreactor/calibrations.js'
import type { Estimator } from '../../events/bioreactor/estimators.js'
import { check } from '../../events/schema.js'
import { runJobCommand } from '../../events/system/commands.js'
import { correctAtStart } from '../../services/aftermath/over-bus.js'
import type { RetainedText } from '../../services/aftermath/retained.js'
import type { Bioreactor } from '../../services/bioreactor/board/board.js'
import type { ExperimentStore } from '../../services/bioreactor/experiment-store.js'
import { offerExperiments } from '../../services/bioreactor/experiments/experiment-service.js'
import { type BioreactorDeps, type Board, createBioreactorJobs } from '../../services/bioreactor/index.js'
import { bioreactor as bioreactorInstrument } from '../../services/bioreactor/instrument.js'
import { LiquidBook } from '../../services/bioreactor/liquids/liquid-book.js'
import { offerLiquids } from '../../services/bioreactor/liquids/liquid-service.js'
import type { Job } from '../../services/jobs/job.js'
import { type JobService, startJobService } from '../../services/jobs/job-service.js'
import { instrumentAftermath } from '../../services/runtime/instrument-parts.js'
import type { ServiceContext } from '../../services/runtime/service.js'
import { FakeBioreactor } from './fake-bioreactor.js'
import { FakeClock } from './fake-clock.js'
import { give } from './give.js'
import { MemoryBroker, type MemoryBus } from './memory-bus.js'
import { silentLogger } from './silent-logger.js'

/** Outlives the services, as files do. */
export class MemoryStore implements ExperimentStore {
  readonly #values = new Map<string, unknown>()

  async read<S extends TSchema>(name: string, experiment: string, schema: S): Promise<Static<S> | null> {
    const value = this.#values.get(`${name}/${experiment}`)
    return value === undefined ? null : check(schema, value)
  }

  async write(name: string, experiment: string, value: unknown): Promise<void> {
    this.#values.set(`${name}/${experiment}`, structuredClone(value))
  }

  async writeOnly(name: string, experiment: string, value: unknown): Promise<void> {
    for (const key of this.#values.keys()) if (key.startsWith(`${name}/`)) this.#values.delete(key)
    await this.write(name, experiment, value)
  }

  /** What a kill leaves behind. */
  copy(): MemoryStore {
    const copy = new MemoryStore()
    for (const [key, value] of this.#values) copy.#values.set(key, structuredClone(value))
    return copy
  }

  async remove(name: string, experiment: string): Promise<boolean> {
    return this.#values.delete(`${name}/${experiment}`)
  }
}

/** The job service of unit `u1` with the bioreactor's jobs, on a fake clock, a broker in memory and a bioreactor without hardware. */
export interface BioreactorLab<B extends Bioreactor = FakeBioreactor> {
  readonly clock: FakeClock
  readonly broker: MemoryBroker
  readonly bioreactor: B
  readonly context: ServiceContext
  /** Connections of jobs, in the order they were opened. */
  readonly connections: MemoryBus[]
  readonly service: JobService
  /** What was retained of earlier lives. */
  readonly past: readonly RetainedText[]
  readonly store: ExperimentStore
  /** What is in the vial. */
  readonly book: LiquidBook
  /** Active calibration by device. */
  readonly calibrations: Map<string, Calibration>
  /** Active estimator by device. */
  readonly estimators: Map<string, Estimator>
  /** Asks for a job and waits until it prepares its hardware or the start failed. @returns the task's id */
  begin(job: string, options?: Record<string, unknown>, more?: Partial<RunRequest>): Promise<string>
  /** Starts a job and lets the clock run until the start is decided. @returns the task's record */
  run(job: string, options?: Record<string, unknown>, more?: Partial<RunRequest>): Promise<Record<string, unknown>>
  /** Publishes a command on a job's `/set` topic and lets it be carried out. */
  set(job: string, setting: string, text: string, experiment?: string): Promise<void>
  /** Messages below `pioreactor/u1/<experiment>/`, in order. */
  published(path: string, experiment?: string): string[]
  task(id: string): Record<string, unknown>
  /** Removes the files. */
  close(): void
}

interface RunRequest {
  readonly id: string
  readonly env: Record<string, string>
  readonly args: string[]
  readonly config_overrides: string[][]
}

export type LabOptions<B extends Bioreactor> = Partial<
  BioreactorDeps & {
    bioreactor: B
    broker: MemoryBroker
    clock: FakeClock
    resumeJobs: readonly string[]
    /** Whether the unit's own jobs start by themselves; by default they do not. */
    residents: boolean
    /** Jobs beside those of the product. */
    jobs: (board: Board) => readonly Job[]
  }
>

export async function startBioreactorLab<B extends Bioreactor = FakeBioreactor>({
  // Without one given it is the fake.
  bioreactor = new FakeBioreactor() as Bioreactor as B,
  broker = new MemoryBroker(),
  clock = new FakeClock(),
  resumeJobs = [],
  residents = false,
  jobs: more,
  random = () => 0.5,
  store = new MemoryStore(),
  ...deps
}: LabOptions<B> = {}): Promise<BioreactorLab<B>> {
  const dotPioreactor = mkdtempSync(join(tmpdir(), 'benchlog-jobs-'))
  const connections: MemoryBus[] = []
  const context: ServiceContext = {
    unit: 'u1',
    box: 'u1',
    clock,
    logger: silentLogger,
    hardwareKind: 'simulated',
    dotPioreactor,
    bus: broker.connect(),
    connectBus: async ({ will }) => {
      const bus = broker.connect(will)
      connections.push(bus)
      return bus
    },
  }
  const active = new Map<string, Calibration>()
  const calibrations = { active: async (device: string) => active.get(device) ?? null }
  const activeEstimators = new Map<string, Estimator>()
  const estimators = { active: async (device: string) => activeEstimators.get(device) ?? null }
  const past = await correctAtStart(context, null, instrumentAftermath(bioreactorInstrument))
  const book = new LiquidBook({ ...context, model: bioreactor.model })
  await book.start(past)
  const boardDeps = { bioreactor, dotPioreactor, clock, store, calibrations, estimators, random, book, ...deps }
  // Jobs of a test stand in for those of the product.
  const offered = new Map(createBioreactorJobs(boardDeps, more).map((job) => [job.definition.key, job]))
  const jobs = [...offered.values()]
  const liquids = await offerLiquids(context, book, jobs)
  const jobService = await startJobService(context, past, jobs, resumeJobs, residents)
  const service: JobService = {
    ...jobService,
    commands: [...jobService.commands, ...liquids.answers, ...offerExperiments(context, past)],
  }
  const task = (id: string): Record<string, unknown> =>
    JSON.parse(broker.retained.get(`system/u1/tasks/${id}`)?.toString() ?? 'null') as Record<string, unknown>
  let requests = 0
  const begin: BioreactorLab['begin'] = async (job, options = {}, more = {}) => {
    const id = more.id ?? `request-${++requests}`
    const opened = connections.length
    const env = { EXPERIMENT: 'exp', ...more.env }
    const { id: _, ...others } = more
    await give(service, runJobCommand, { job_name: job, args: [], options, config_overrides: [], ...others, env }, id)
    // The configuration is read from files, which takes real time; from then on only the clock counts.
    while (task(id)['status'] === 'running' && connections.length === opened) await delay(1)
    return id
  }
  return {
    clock,
    broker,
    bioreactor,
    context,
    connections,
    service,
    past,
    store,
    book,
    calibrations: active,
    estimators: activeEstimators,
    task,
    begin,
    async run(job, options, more) {
      const id = await begin(job, options, more)
      for (let waited = 0; task(id)['status'] === 'running' && waited < 20; waited++) await clock.advance(100)
      return task(id)
    },
    async set(job, setting, text, experiment = 'exp') {
      await context.bus.publish(`pioreactor/u1/${experiment}/${job}/${setting}/set`, text)
      await clock.advance(0)
    },
    published: (path, experiment = 'exp') => broker.payloads(`pioreactor/u1/${experiment}/${path}`),
    close: () => rmSync(dotPioreactor, { recursive: true, force: true }),
  }
}
