import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { TaskDefinition } from '../../../../events/core/define-task.js'
import { SYSTEM_ACTIONS, type SystemAction } from '../../../../events/machine/actions.js'
import { taskEvent } from '../../../../events/system/tasks.js'
import type { ProgramResult } from '../../../../services/runtime/run-program.js'
import type { Service } from '../../../../services/runtime/service.js'
import { createMachine } from '../../../../services/unit-admin/machine/machine.js'
import { type MachineContext, startMachineService } from '../../../../services/unit-admin/machine/machine-service.js'
import { FakeClock } from '../../../support/fake-clock.js'
import { give } from '../../../support/give.js'
import { MemoryBroker } from '../../../support/memory-bus.js'
import { silentLogger } from '../../../support/silent-logger.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'
import { until } from '../../../support/until.js'

/** The administration of unit `u1`'s computer below a directory of its own, on a fake clock; programs are not run but noted. */
export class MachineLab {
  readonly home = temporaryDirectory()
  readonly dot = join(this.home, 'dot')
  readonly clock = new FakeClock()
  readonly broker = new MemoryBroker()
  /** What happened, in order: holds, their ends, and the programs that were run. */
  readonly happened: string[] = []
  /** How the next programs end; well, when nothing is said. */
  readonly ends: Partial<ProgramResult>[] = []
  #service: Service | null = null
  #orders = 0

  constructor() {
    mkdirSync(join(this.dot, 'storage'), { recursive: true })
  }

  async start(allowed: readonly SystemAction[] = SYSTEM_ACTIONS, updateProgram = ''): Promise<void> {
    const machine = createMachine({
      allowed,
      updateProgram,
      run: async (vector) => {
        this.happened.push(vector.join(' '))
        return { code: 0, stdout: '', stderr: '', ...this.ends.shift() }
      },
    })
    const context = {
      unit: 'u1',
      clock: this.clock,
      logger: silentLogger,
      bus: this.broker.connect(),
      dotPioreactor: this.dot,
      privatePaths: [this.home, join(this.dot, 'private')],
      machine,
      hold: async (reason: string) => {
        this.happened.push(`hold: ${reason}`)
        return () => void this.happened.push('release')
      },
    }
    this.#service = await startMachineService(context as unknown as MachineContext, [])
  }

  async stop(): Promise<void> {
    await this.#service?.stop()
  }

  /** Rejects when the order is refused. @returns the id of the task */
  async order<Order, Result>(task: TaskDefinition<Order, Result>, order: NoInfer<Order>): Promise<string> {
    if (this.#service === null) throw new Error('not started')
    const id = `order-${this.#orders++}`
    await give(this.#service, task, order, id)
    return id
  }

  /** @returns how the task ended */
  async end<Order, Result>(task: TaskDefinition<Order, Result>, order: NoInfer<Order>) {
    const id = await this.order(task, order)
    const last = () => taskEvent.parse(this.broker.payloads(taskEvent.topic({ unit: 'u1', task_id: id })).at(-1) ?? '')
    await until(() => ['succeeded', 'failed'].includes(last().status), 'the end of the task')
    return last()
  }
}
