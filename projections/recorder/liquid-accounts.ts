import { liquidEvent } from '../../events/bioreactor/liquids.js'
import { toMilliseconds } from '../engine/fold-event.js'
import { rowsProjection } from '../engine/projection.js'
import { readModel } from '../engine/read-model.js'

/** Every state of the account of a vial, with the time of its source: volumes, shares and sums that a Pioreactor does not record.
 * `composition` and `added_ml` are JSON, by medium. */
const accountTable = rowsProjection({
  name: 'liquid_accounts',
  version: 1,
  on: ['system/+/liquids/+'],
  columns: {
    experiment: 'TEXT NOT NULL',
    pioreactor_unit: 'TEXT NOT NULL',
    timestamp: 'TEXT NOT NULL',
    volume_ml: 'REAL NOT NULL',
    efflux_tube_volume_ml: 'REAL NOT NULL',
    composition: 'TEXT NOT NULL',
    added_ml: 'TEXT NOT NULL',
    removed_ml: 'REAL NOT NULL',
    spilled_ml: 'REAL NOT NULL',
  },
  shared: 2,
  indexes: [
    {
      // A repeated delivery differs in nothing.
      columns: ['experiment', 'pioreactor_unit', 'timestamp', 'volume_ml', 'composition', 'added_ml', 'removed_ml'],
      unique: true,
    },
  ],
  row: (event) => {
    if (event.isEmpty) return null
    const { liquid, timestamp } = event.as(liquidEvent.payload)
    const { volume_ml, efflux_tube_volume_ml, composition, added_ml, removed_ml, spilled_ml } = liquid
    const [composed, added] = [JSON.stringify(composition), JSON.stringify(added_ml)]
    const at = toMilliseconds(timestamp)
    const owner = [event.level(3), event.level(1)]
    return [...owner, at, volume_ml, efflux_tube_volume_ml, composed, added, removed_ml, spilled_ml]
  },
})

/** Nobody but notebooks asks for them. */
export const liquidAccounts = readModel([accountTable])
