import { join } from 'node:path'
import {
  rebootTask,
  removeFileTask,
  repairTask,
  restartWebServerTask,
  setClockTask,
  shutdownTask,
  updateTask,
} from '../../../events/machine/commands.js'
import { DISALLOW_FILE_SYSTEM, FilesDisallowed } from '../../../events/machine/errors.js'
import { ServicesSuspended } from '../../../events/system/errors.js'
import { isRegularFile } from '../../../primitives/read-regular-file.js'
import type { RetainedText } from '../../aftermath/retained.js'
import type { PartContext, Service } from '../../runtime/service.js'
import { createTaskLog } from '../../runtime/task-log.js'
import { parseClockTime } from './clock-time.js'
import { leaderOf } from './leader-of.js'
import type { Machine } from './machine.js'
import { type DataDirectory, fileToRemove, removeFile } from './remove-file.js'
import { repair } from './repair.js'
import { updateArguments } from './update-arguments.js'

export interface MachineContext extends PartContext, DataDirectory {
  readonly machine: Machine
}

/** A leader tells its cluster before it goes. Source: Pioreactor 26.7. */
const LEADER_WAITS_S = 5
/** A computer that has not gone down by then does not go. */
const GOING_DOWN_S = 120

/** Does what concerns the computer of the unit and the files of its data directory: each is a task. */
export async function startMachineService(context: MachineContext, _past: readonly RetainedText[]): Promise<Service> {
  const { machine, clock, dotPioreactor, unit } = context
  const logger = context.logger.child({ service: 'machine' })
  const tasks = createTaskLog({ ...context, logger })
  const ending = new AbortController()
  let suspended: string | null = null

  const refuseBanned = async (): Promise<void> => {
    if (await isRegularFile(join(dotPioreactor, DISALLOW_FILE_SYSTEM)))
      throw new FilesDisallowed(`${DISALLOW_FILE_SYSTEM} is present`)
  }
  const refuseSuspended = (): void => {
    if (suspended !== null) throw new ServicesSuspended(`Nothing is done now: ${suspended}.`)
  }

  /** Every output safe, then the order. It goes on as before when the order is not taken, or is not carried out. */
  async function goDown(reason: string, order: () => Promise<void>): Promise<true> {
    const release = await context.hold(reason)
    try {
      await order()
    } catch (error) {
      release()
      throw error
    }
    void clock.sleepUntil(clock.monotonicMs() + GOING_DOWN_S * 1000, ending.signal).then(() => {
      if (!ending.signal.aborted) logger.error({ reason }, 'the computer did not go down; the unit goes on')
      release()
    })
    return true
  }

  async function isLeader(): Promise<boolean> {
    const leader = await leaderOf(dotPioreactor)
    return leader === '' || leader === unit
  }

  return {
    name: 'machine',
    commands: [
      tasks.answer(removeFileTask, async ({ filepath }) => {
        refuseSuspended()
        await refuseBanned()
        const path = await fileToRemove(filepath, context)
        return async () => {
          const removed = await removeFile(path)
          if (removed) logger.info({ path }, 'file deleted for a client')
          return removed
        }
      }),
      tasks.answer(rebootTask, () => async () => {
        machine.demand('reboot')
        if (await isLeader()) await clock.sleepUntil(clock.monotonicMs() + LEADER_WAITS_S * 1000, ending.signal)
        return goDown('the computer is started again', machine.reboot)
      }),
      tasks.answer(shutdownTask, () => async () => {
        machine.demand('shutdown')
        return goDown('the computer is switched off', machine.shutdown)
      }),
      tasks.answer(restartWebServerTask, () => async () => {
        machine.demand('web_server')
        return goDown('the unit is started again', machine.restartUnit)
      }),
      tasks.answer(setClockTask, ({ utc_clock_time: text }) => {
        const time = text === null ? null : parseClockTime(text)
        return async () => {
          await (time === null ? machine.synchroniseClock() : machine.setClock(time))
          return true
        }
      }),
      tasks.answer(repairTask, () => async () => {
        machine.demand('repair')
        return repair(dotPioreactor)
      }),
      tasks.answer(updateTask, ({ args, options }) => {
        const vector = updateArguments(args, options)
        return async () => {
          await machine.update(vector)
          return true
        }
      }),
    ],
    async suspend(reason) {
      suspended = reason
    },
    async resume() {
      suspended = null
    },
    async stop() {
      ending.abort()
      await tasks.stop()
    },
  }
}
