import { publishEvent } from '../../../bus/publish-event.js'
import type { PayloadOf } from '../../../events/core/define-event.js'
import { defineError } from '../../../events/core/errors.js'
import { timestampOf } from '../../../events/core/timestamp.js'
import { answer } from '../../../services/runtime/answer.js'
import type { InstrumentContext } from '../../../services/runtime/instrument.js'
import { repeat } from '../../../services/runtime/repeat.js'
import type { Service } from '../../../services/runtime/service.js'
import { Balance } from './balance.js'
import { massEvent, tareCommand } from './events.js'
import type { BalanceSettings } from './instrument.js'
import { COMMANDS, type Reply } from './sics.codec.js'

const BalanceAbsent = defineError('balance.absent', 'hardware', 'No balance is connected.')
const NotTared = defineError('balance.not_tared', 'state', 'The balance cannot be tared now.')

type Mass = Pick<PayloadOf<typeof massEvent>, 'mass' | 'quality'>

const ABSENT: Mass = { mass: null, quality: 'absent' }

const massOf = (reply: Reply): Mass => {
  if (reply.kind === 'mass') return { mass: reply.mass, quality: reply.isStable ? 'stable' : 'moving' }
  return reply.kind === 'overload' || reply.kind === 'underload' ? { mass: null, quality: reply.kind } : ABSENT
}

/** Reads the balance at every interval and publishes what lies on it. A balance that is pulled out is told once, and found again. */
export async function startBalance(context: InstrumentContext<BalanceSettings>): Promise<Service> {
  const { unit, bus, clock, ports, settings } = context
  const logger = context.logger.child({ instrument: 'balance' })
  let balance: Balance | null = null
  let told: Mass['quality'] | null = null

  async function connected(): Promise<Balance | null> {
    if (balance?.isOpen === true) return balance
    const [port] = await ports.list()
    balance = port === undefined ? null : new Balance(await ports.open(port.path))
    return balance
  }

  async function read(): Promise<Mass> {
    try {
      const present = await connected()
      return present === null ? ABSENT : massOf(await present.ask(COMMANDS.read))
    } catch (error) {
      logger.debug({ err: error }, 'no reading')
      await balance?.close()
      return ABSENT
    }
  }

  const readings = repeat({
    clock,
    intervalS: settings.BALANCE_INTERVAL_S,
    immediately: true,
    async tick() {
      const mass = await read()
      if (mass.quality === 'absent' && told === 'absent') return
      told = mass.quality
      await publishEvent(bus, massEvent, { unit }, { ...mass, timestamp: timestampOf(clock.now()) })
    },
    onError: (error) => logger.warn({ err: error }, 'reading not published'),
  })

  return {
    name: 'balance',
    commands: [
      answer(tareCommand, async () => {
        const present = await connected()
        if (present === null) throw new BalanceAbsent('No balance is connected.')
        const reply = await present.ask(COMMANDS.tare)
        if (reply.kind !== 'mass') throw new NotTared(`The balance answered: ${reply.kind}.`)
        return { tare: reply.mass }
      }),
    ],
    suspend: async () => readings.pause(),
    resume: async () => readings.resume(),
    async stop() {
      await readings.stop()
      await balance?.close()
    },
  }
}
