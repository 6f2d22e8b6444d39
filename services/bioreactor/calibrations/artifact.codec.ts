import type { TObject } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { ArtifactKind } from '../../../events/bioreactor/artifacts.js'
import { AkimaCurve, type Calibration, PolyCurve, SplineCurve } from '../../../events/bioreactor/calibrations.js'
import type { Estimator } from '../../../events/bioreactor/estimators.js'
import { check } from '../../../events/schema.js'
import { type Curve, curveProblem } from '../control/curve.js'
import { parseYaml, writeYaml, YamlTime } from './artifact-yaml.codec.js'

/** Ten times an estimator of ten standards. To read so much takes some tenths of a second, in which the process does nothing else; and a message
 * holds it as text and as values, whatever its characters become there. */
export const MAX_ARTIFACT_BYTES = 40_000

/** An artifact as JSON. */
export type ArtifactRecord = Readonly<Record<string, unknown>>

/** The artifact in the text of a file. One of a type that nobody here knows is passed on as it is; of a known one, fields that its type does
 * not have are left out, and those that may be missing are there. @throws Error naming the field that is wrong */
export function decodeArtifact(kind: ArtifactKind<unknown>, text: string): ArtifactRecord {
  checkSize(text)
  const parsed = parseYaml(text)
  if (!(parsed instanceof Map)) throw new Error(`It holds no fields; a ${kind.word} is a YAML mapping.`)
  const type = parsed.get(kind.tag) ?? kind.untagged
  if (typeof type !== 'string') throw new Error(`${kind.tag} is missing, or no text.`)
  const known = typeOf(kind, type)
  const { created_at: createdAt } = Object.fromEntries(parsed)
  if (known === undefined) return named(kind, Object.fromEntries(entriesOf(parsed, '', true)))
  if (!(createdAt instanceof YamlTime)) {
    throw new Error('created_at must be a time of YAML: without quotes, with a time zone.')
  }
  const utc = createdAt.utc
  if (utc === null) throw new Error(`created_at is ${createdAt.text}; it must have a time zone.`)
  parsed.delete('created_at')
  return fitted(kind, known, { ...Object.fromEntries(entriesOf(parsed, '', false)), [kind.tag]: type, created_at: utc })
}

/** The artifact in a JSON object, whose `created_at` is text. Known types only. @throws Error naming the field that is wrong */
export function fitArtifact(kind: ArtifactKind<unknown>, record: ArtifactRecord): ArtifactRecord {
  const type = record[kind.tag] ?? kind.untagged
  const known = typeOf(kind, String(type))
  if (known === undefined) throw new Error(unknownType(kind, type))
  const utc = new YamlTime(String(record['created_at'])).utc
  if (utc === null) throw new Error(`created_at is ${String(record['created_at'])}; it must be a time with a zone.`)
  return fitted(kind, known, { ...record, [kind.tag]: type, created_at: utc })
}

const typeOf = ({ types }: ArtifactKind<unknown>, type: string): TObject | undefined =>
  Object.hasOwn(types, type) ? types[type] : undefined

export const unknownType = (kind: ArtifactKind<unknown>, type: unknown): string =>
  `${kind.tag} is ${JSON.stringify(type)}; known are ${Object.keys(kind.types).join(', ')}.`

/** The text of its file. */
export function encodeArtifact(artifact: Calibration | Estimator): string {
  const text = writeYaml({ ...artifact, created_at: YamlTime.of(artifact.created_at) })
  checkSize(text)
  return text
}

/** @throws Error */
function checkSize(text: string): void {
  if (Buffer.byteLength(text) > MAX_ARTIFACT_BYTES) throw new Error(`It is larger than ${MAX_ARTIFACT_BYTES} bytes.`)
}

/** What is wrong with the curves of an artifact that has the right fields; null when nothing is. */
export function curvesProblem(artifact: Calibration | Estimator): string | null {
  if ('curve_data_' in artifact) return curveProblem(artifact.curve_data_)
  if (artifact.estimator_type !== 'od_fused_estimator') return null
  const { angles, mu_splines, sigma_splines_log } = artifact
  for (const angle of angles) {
    for (const curve of [mu_splines[angle], sigma_splines_log[angle]]) {
      if (curve === undefined) return `Angle ${angle} has no curves.`
      const problem = curve.coefficients.length === 0 ? 'A curve has no pieces.' : curveProblem(curve)
      if (problem !== null) return `Angle ${angle}: ${problem}`
    }
  }
  return angles.length === 0 ? 'It has no angles.' : null
}

function fitted(kind: ArtifactKind<unknown>, schema: TObject, given: ArtifactRecord): ArtifactRecord {
  const withCurve = 'curve_data_' in given ? { ...given, curve_data_: checkCurve(given['curve_data_']) } : given
  const akima = ['mu_splines', 'sigma_splines_log'].filter((field) => field in given && field in schema.properties)
  const tagged = Object.fromEntries(akima.map((field) => [field, taggedAkima(given[field])]))
  const complete = Value.Default(schema, { ...withCurve, ...tagged })
  const checked = check(schema, Value.Clean(schema, complete)) as Record<string, unknown>
  const { x, y } = (checked['recorded_data'] ?? {}) as {
    readonly x?: readonly number[]
    readonly y?: readonly number[]
  }
  if ('curve_data_' in checked && x?.length !== y?.length) {
    throw new Error(
      `recorded_data.x and y have ${x?.length} and ${y?.length} values; they should have the same lengths.`,
    )
  }
  // In the order of the type.
  return named(kind, Object.fromEntries(Object.keys(schema.properties).map((field) => [field, checked[field]])))
}

const CURVES = { poly: PolyCurve, spline: SplineCurve, akima: AkimaCurve } as const

/** Apart from the other fields, so that the message names what is wrong. */
function checkCurve(value: unknown): Curve {
  const type = typeof value === 'object' && value !== null && 'type' in value ? value.type : undefined
  const schema = Object.entries(CURVES).find(([name]) => name === type)?.[1]
  if (schema === undefined) {
    throw new Error(`curve_data_.type is ${JSON.stringify(type)}; it must be one of ${Object.keys(CURVES).join(', ')}.`)
  }
  return check(schema, value, 'curve_data_')
}

/** The curves of an estimator are of one type, so they need not name it. */
const taggedAkima = (curves: unknown): unknown =>
  typeof curves === 'object' && curves !== null
    ? Object.fromEntries(Object.entries(curves).map(([angle, curve]) => [angle, { type: 'akima', ...curve }]))
    : curves

function named(kind: ArtifactKind<unknown>, record: ArtifactRecord): ArtifactRecord {
  // References within a short text may make much of it.
  checkSize(JSON.stringify(record))
  const name = record[kind.nameField]
  if (typeof name === 'string') return record
  throw new Error(`${kind.nameField} is ${JSON.stringify(name) ?? 'missing'}; it must be text.`)
}

/** Maps as objects. @throws Error for keys that are no text and values that JSON does not have */
function entriesOf(map: ReadonlyMap<unknown, unknown>, path: string, withTimes: boolean): [string, unknown][] {
  return [...map].map(([key, value]) => {
    if (typeof key !== 'string') throw new Error(`The key ${path}${String(key)} must stand in quotes.`)
    return [key, jsonOf(value, `${path}${key}`, withTimes)]
  })
}

function jsonOf(value: unknown, path: string, withTimes: boolean): unknown {
  if (value instanceof Map) return Object.fromEntries(entriesOf(value, `${path}.`, withTimes))
  if (Array.isArray(value)) return value.map((item, index) => jsonOf(item, `${path}[${index}]`, withTimes))
  if (value instanceof YamlTime) {
    if (withTimes) return value.utc ?? value.text
    throw new Error(`${path} is a date; text that looks like one must stand in quotes.`)
  }
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw new Error(`${path} is ${String(value)}, which a file like this cannot hold.`)
}
