import { Type } from '@sinclair/typebox'
import { setting } from '../../../events/core/setting.js'
import { defineInstrument } from '../../../services/runtime/instrument.js'
import { massEvent, tareCommand } from './events.js'
import { cancelAll } from './make-safe.js'

export const BALANCE_USB = { vendorId: '0eb8', productId: 'f000' } as const

const balanceSettings = {
  BALANCE_INTERVAL_S: setting(Type.Number({ minimum: 0.05, maximum: 3600 }), 1, 'Seconds between two readings.'),
}
export type BalanceSettings = typeof balanceSettings

export const balance = defineInstrument({
  name: 'balance',
  doc: 'A balance on a serial port.',
  topics: { root: 'balance' },
  events: [massEvent],
  commands: [tareCommand],
  settings: balanceSettings,
  serial: { usb: [BALANCE_USB], baudRate: 9600 },
  outputs: ['balances'],
  makeSafe: cancelAll,
  start: async (context) => (await import('./start-balance.js')).startBalance(context),
  transient: [massEvent],
})
