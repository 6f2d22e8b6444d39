import { checkPumpSeconds, type PumpCurve, pumpedMl } from './pump-curve.js'

/** The waste pump runs throughout, the inflow pump in pulses of one second with a rest, so that more can leave than comes. */
export interface Circulation {
  /** Of the waste pump, s: from a second before the first pulse to one after the last. */
  readonly wasteS: number
  /** The inflow pump is switched on at these times for so long, s from the start of the waste pump. */
  readonly pulses: readonly { readonly atS: number; readonly forS: number }[]
  /** What the calibrations say that moves through the pumps, mL. */
  readonly inflowMl: number
  readonly wasteMl: number
}

const PULSE_PERIOD_S = 1
const LEAD_S = 1
const MAX_SHARE = 0.85

/** Share of each second that the inflow pump is on: less when it is the faster one. Without both calibrations nobody can tell. */
function inflowShare(inflow: PumpCurve | null, waste: PumpCurve | null): number {
  if (inflow === null || waste === null) return MAX_SHARE
  const [inMl, outMl] = [pumpedMl(inflow, 1), pumpedMl(waste, 1)]
  return inMl > outMl ? Math.min(outMl / inMl, MAX_SHARE) : MAX_SHARE
}

/** Both pumps for `durationS`. @param inflow null when it is not calibrated, and so `waste`; then mL are those of `fallback`.
 * @throws PumpTimeOutOfRange. Source: Pioreactor 26.7 `circulate_media`. */
export function planCirculation(
  durationS: number,
  inflow: PumpCurve | null,
  waste: PumpCurve | null,
  fallback: PumpCurve,
): Circulation {
  const wasteS = checkPumpSeconds(durationS + 2 * LEAD_S, 'waste ')
  const share = inflowShare(inflow, waste)
  const pulses = Array.from({ length: Math.ceil(durationS / PULSE_PERIOD_S) }, (_, index) => {
    const begunS = index * PULSE_PERIOD_S
    return { atS: LEAD_S + begunS, forS: Math.min(share * PULSE_PERIOD_S, durationS - begunS) }
  })
  const inflowMl = pulses.reduce((total, { forS }) => total + pumpedMl(inflow ?? fallback, forS), 0)
  return { wasteS, pulses, inflowMl, wasteMl: pumpedMl(waste ?? fallback, wasteS) }
}
