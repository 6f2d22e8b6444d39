import { isDeepStrictEqual } from 'node:util'
import { publishEvent } from '../../../bus/publish-event.js'
import { correctLiquidCommand } from '../../../events/bioreactor/commands.js'
import {
  BIOREACTOR_VARIABLES,
  type BioreactorValues,
  bioreactorValues,
  type Liquid,
} from '../../../events/bioreactor/liquids.js'
import { type LogMessage, logEvent } from '../../../events/bioreactor/logs.js'
import { vesselEvent } from '../../../events/bioreactor/vessel.js'
import { mergedConfigEvent } from '../../../events/config/config.js'
import type { JobDefinition } from '../../../events/core/define-job.js'
import { timestampOf } from '../../../events/core/timestamp.js'
import { topicLevel } from '../../../events/topic.js'
import { type Answer, answer } from '../../runtime/answer.js'
import type { ServiceContext } from '../../runtime/service.js'
import { stockConfig } from '../../unit-admin/config/stock-config.js'
import { readUnitConfig, UnitConfig } from '../../unit-admin/config/unit-config.js'
import { initialLiquid } from './initial-liquid.js'
import type { LiquidBook, LiquidValues } from './liquid-book.js'
import { liquidValues, valueText } from './liquid-values.js'

export interface LiquidService {
  readonly answers: readonly Answer[]
  stop(): Promise<void>
}

/** Tells which vessel the unit has, and takes what people look up of it.
 * @param jobs what they declare is part of the configuration.
 * @returns what carries the commands out, once the vessel is announced; it is again when the configuration says otherwise. */
export async function offerLiquids(
  context: ServiceContext,
  book: LiquidBook,
  jobs: readonly { readonly definition: JobDefinition }[],
): Promise<LiquidService> {
  const stock = stockConfig(
    context.dotPioreactor,
    jobs.map(({ definition }) => definition),
  )
  const config = (): Promise<UnitConfig> => readUnitConfig(context.dotPioreactor, stock)
  const announce = announcer(context, book, config, new UnitConfig(stock))
  await announce()
  const stop = await context.bus.subscribe(mergedConfigEvent.topic(context), () => {
    announce().catch((error: unknown) => context.logger.warn({ err: error }, 'vessel not announced'))
  })
  const correct = answer(correctLiquidCommand, async ({ experiment, values }) => {
    const given = liquidValues(values)
    const { from, to } = book.correct(topicLevel('experiment', experiment), given, await config())
    await book.recorded()
    await logCorrection(context, experiment, given, from, to)
    return { values: bioreactorValues(to) }
  })
  return { answers: [correct], stop }
}

/** Announces the vessel when that says something new. A configuration that cannot be read is reported by the jobs that need it; here it says nothing. */
function announcer(
  { unit, bus, clock, logger }: ServiceContext,
  { model }: LiquidBook,
  config: () => Promise<UnitConfig>,
  stock: UnitConfig,
): () => Promise<void> {
  const { model_name, model_version, reactor_capacity_ml, reactor_max_fill_volume_ml } = model
  const initialValues = async (): Promise<BioreactorValues> => {
    try {
      return bioreactorValues(initialLiquid(await config(), reactor_capacity_ml))
    } catch (error) {
      logger.error({ err: error }, 'the configuration does not tell what is in a vial; the stock one does')
      return bioreactorValues(initialLiquid(stock, reactor_capacity_ml))
    }
  }
  let announced: BioreactorValues | null = null
  return async () => {
    const initial_values = await initialValues()
    if (isDeepStrictEqual(initial_values, announced)) return
    announced = initial_values
    const timestamp = timestampOf(clock.now())
    const limits = { reactor_capacity_ml, reactor_max_fill_volume_ml }
    await publishEvent(bus, vesselEvent, { unit }, { model_name, model_version, ...limits, initial_values, timestamp })
  }
}

/** One line for each value, in the words of a Pioreactor 26.7. */
async function logCorrection(
  { unit, bus, clock }: ServiceContext,
  experiment: string,
  given: LiquidValues,
  from: Liquid,
  to: Liquid,
): Promise<void> {
  const [before, after] = [bioreactorValues(from), bioreactorValues(to)]
  const lines = BIOREACTOR_VARIABLES.filter((name) => given[name] !== undefined).map(
    (name): LogMessage => ({
      source: 'ui',
      task: 'bioreactor',
      message: `Updated ${name} from ${valueText(name, before[name])} to ${valueText(name, after[name])}.`,
      level: 'INFO',
      timestamp: timestampOf(clock.now()),
    }),
  )
  const levels = { unit, experiment, source: 'ui', level: 'info' }
  await Promise.all(lines.map((line) => publishEvent(bus, logEvent, levels, line)))
}
