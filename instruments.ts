import { catalogueOf } from './events/catalogue.js'
import { bioreactor } from './services/bioreactor/instrument.js'
import { potentiostat } from './services/potentiostat/instrument.js'
import type { Instrument } from './services/runtime/instrument.js'
import { potentiostatTwin } from './simulation/potentiostat/twin.js'
import type { Twin } from './simulation/twin.js'

/** An instrument, and what stands for it on the simulated bench. */
export interface ListedInstrument extends Instrument {
  readonly twin?: Twin
}

/** The instruments of a unit. A new one has its line here. */
export const instruments: readonly ListedInstrument[] = [bioreactor, { ...potentiostat, twin: potentiostatTwin }]

/** What a unit with them publishes and takes. */
export const catalogue = catalogueOf(instruments)
