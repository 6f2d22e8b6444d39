import { onTestFinished } from 'vitest'
import {
  abortCalibrationSessionCommand,
  advanceCalibrationSessionCommand,
  type SessionView,
  startCalibrationSessionCommand,
} from '../../events/bioreactor/calibration-sessions.js'
import type { CommandDefinition } from '../../events/core/define-command.js'
import { type RunningSessions, startSessions } from '../../services/bioreactor/calibration-sessions/start-sessions.js'
import { type OpenStores, openStores } from '../../services/bioreactor/calibrations/artifact-service.js'
import type { Board } from '../../services/bioreactor/index.js'
import type { Answer } from '../../services/runtime/answer.js'
import type { BenchOptions } from '../../simulation/virtual-bench.js'
import { MemoryStore } from './bioreactor-lab.js'
import { MemoryBroker } from './memory-bus.js'
import { silentLogger } from './silent-logger.js'
import { temporaryDirectory } from './temporary-directory.js'
import { createWorld, startVialLab, type VialLab } from './vial-lab.js'

type Inputs = Readonly<Record<string, unknown>>

/** What outlives the services: vial, time, files and the retained messages. */
export interface SessionWorld {
  readonly world: ReturnType<typeof createWorld>
  readonly broker: MemoryBroker
  readonly dotPioreactor: string
  readonly store: MemoryStore
}

export const createSessionWorld = (options: Partial<BenchOptions> = {}): SessionWorld => ({
  world: createWorld(options),
  broker: new MemoryBroker(),
  dotPioreactor: temporaryDirectory(),
  store: new MemoryStore(),
})

export interface SessionLab {
  readonly lab: VialLab
  readonly stores: OpenStores
  readonly commands: readonly Answer[]
  /** Lets the clock run until the work is done. */
  run<T>(work: Promise<T>): Promise<T>
  /** Starts a job and lets the clock run until it is ready. */
  startJob(name: string, options: Inputs, experiment?: string): Promise<void>
  /** Lets the clock run until it is so. */
  until(isSo: () => boolean): Promise<void>
  begin(target_device: string, protocol_name: string): Promise<SessionView>
  answer(session_id: string, inputs?: Inputs): Promise<SessionView>
  abort(session_id: string): Promise<SessionView>
  /** Answers a row of steps. @returns what is shown then */
  answerAll(session_id: string, row: readonly Inputs[]): Promise<SessionView>
  end(): Promise<void>
}

/** Guided calibrations with real drivers, jobs and files on a virtual vial, on virtual time. */
export async function startSessionLab(whole: SessionWorld = createSessionWorld()): Promise<SessionLab> {
  const { world, broker, dotPioreactor, store } = whole
  const { clock } = world
  const stores = await openStores({ unit: 'u1', bus: broker.connect(), clock, logger: silentLogger, dotPioreactor }, [])
  const boards: Board[] = []
  const { calibrations, estimators } = stores
  const jobs = (board: Board): [] => {
    boards.push(board)
    return []
  }
  const lab = await startVialLab({}, { broker, store, calibrations, estimators, jobs }, world)
  const [board] = boards
  if (board === undefined) throw new Error('No board was made.')
  const sessions: RunningSessions = await startSessions(lab.context, lab.past, {
    jobs: lab.service,
    board,
    calibrations,
    estimators,
  })
  let orders = 0
  // Files take real time, so that no span of virtual time is enough by itself.
  const until: SessionLab['until'] = async (isSo) => {
    for (let turns = 0; !isSo(); turns++) {
      if (turns === 20_000) throw new Error('It never came to that.')
      await clock.advance(50)
    }
  }
  const run: SessionLab['run'] = async (work) => {
    const state = { isDone: false }
    const noted = work.finally(() => {
      state.isDone = true
    })
    noted.catch(() => undefined)
    await until(() => state.isDone)
    return noted
  }
  async function order<Order>(command: CommandDefinition<Order, SessionView>, given: Order): Promise<SessionView> {
    const id = `order-${++orders}`
    const found = sessions.commands.find((candidate) => candidate.command.name === command.name)
    if (found === undefined) throw new Error(`Nobody carries out ${command.name}.`)
    return command.parseResult(await run(found.carryOut(command.encode(id, given), id)))
  }
  const answer: SessionLab['answer'] = (session_id, inputs = {}) =>
    order(advanceCalibrationSessionCommand, { session_id, inputs })
  return {
    lab,
    stores,
    commands: sessions.commands,
    run,
    until,
    async startJob(name, options, experiment = 'exp') {
      await lab.begin(name, { ...options }, { env: { EXPERIMENT: experiment } })
      await until(() => lab.published(`${name}/$state`, experiment).at(-1) === 'ready')
    },
    begin: (target_device, protocol_name) => order(startCalibrationSessionCommand, { target_device, protocol_name }),
    answer,
    abort: (session_id) => order(abortCalibrationSessionCommand, { session_id }),
    async answerAll(session_id, row) {
      let view: SessionView | null = null
      for (const inputs of row) view = await answer(session_id, inputs)
      if (view === null) throw new Error('There is nothing to answer.')
      return view
    },
    async end() {
      await run(sessions.stop())
      await lab.end()
    },
  }
}

/** What a kill leaves behind: what is retained, the files, the vial, and outputs that the guardian has switched off. */
export function killed(whole: SessionWorld): SessionWorld {
  const broker = new MemoryBroker()
  for (const [topic, payload] of whole.broker.retained) broker.retained.set(topic, payload)
  const { bench } = whole.world
  for (const pin of Object.keys(bench.outputs.pwm)) bench.setPwm(Number(pin), 0)
  return { ...whole, broker, store: whole.store.copy() }
}

/** A lab that is ended with the test. */
export async function givenSessionLab(whole?: SessionWorld): Promise<SessionLab> {
  const lab = await startSessionLab(whole)
  onTestFinished(() => lab.end())
  return lab
}
