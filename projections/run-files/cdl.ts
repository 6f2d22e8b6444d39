import type { ModeEvaluation } from '../../events/potentiostat/mode-report.js'
import { csvNumber } from './csv-number.js'

/** `_cdl.csv`: one row per scan rate of a capacitance measurement. */
export function cdlCsv({ points }: ModeEvaluation): string {
  const rows = points.map(
    ({ scan_rate_V_per_s, Icap_A, n_cycles }) => `${csvNumber(scan_rate_V_per_s)},${csvNumber(Icap_A)},${n_cycles}`,
  )
  return ['scan_rate_V_per_s,Icap_A,n_cycles', ...rows, ''].join('\r\n')
}
