import { parseYaml, writeYaml } from './artifact-yaml.codec.js'

/** Calibration files of before Pioreactor 26.1.30: `curve_data_` was a bare list, and `curve_type` stood beside it.
 * @returns the text in the form of today, fields that nobody knows included; null for a text that is not of that time */
export function convertLegacy(text: string): string | null {
  const file = parsed(text)
  const curve = file?.get('curve_data_')
  if (file === null || !Array.isArray(curve)) return null
  const [knots, rows] = curve as readonly unknown[]
  const isPiecewise = curve.length === 2 && Array.isArray(knots) && Array.isArray(rows)
  if (file.get('curve_type') === 'spline' && !isPiecewise) return null
  file.delete('curve_type')
  const piecewise = { type: 'spline', knots, coefficients: rows }
  file.set('curve_data_', isPiecewise ? piecewise : { type: 'poly', coefficients: curve })
  return writeYaml(file)
}

function parsed(text: string): Map<unknown, unknown> | null {
  try {
    const file = parseYaml(text)
    return file instanceof Map ? file : null
  } catch {
    return null
  }
}
