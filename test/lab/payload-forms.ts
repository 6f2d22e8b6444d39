/** Forms of payloads, from the tables of `bioreactor-jobs` §1.3.1 and §1.4. */

/** Whether a payload has the form that clients expect. */
export type Form = (text: string) => boolean

export const like =
  (pattern: RegExp): Form =>
  (text) =>
    pattern.test(text)

/** §1.3.1: the shortest decimal text. */
export const float: Form = (text) => text !== '' && String(Number(text)) === text
export const boolean = like(/^(True|False)$/)
export const text = like(/^[^"{]+$/)
export const oneOf = (...texts: readonly string[]): Form => like(new RegExp(`^(${texts.join('|')})$`))

type Check = (value: unknown) => boolean
export const number: Check = (value) => typeof value === 'number'
export const string: Check = (value) => typeof value === 'string'
export const is =
  (wanted: unknown): Check =>
  (value) =>
    value === wanted
export const nullOr =
  (check: Check): Check =>
  (value) =>
    value === null || check(value)
/** §0.1: a reader accepts no, 3 and 6 digits of a fraction. */
export const datetime: Check = (value) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6})?Z$/.test(String(value))
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** These keys, in whatever order. Ours may add that a value is at the end of its range. */
export const fields =
  (checks: Readonly<Record<string, Check>>): Check =>
  (value) => {
    if (!isObject(value)) return false
    const { quality, ...rest } = value
    const isKnownQuality = quality === undefined || quality === 'clamped'
    const areAll = Object.keys(rest).sort().join() === Object.keys(checks).sort().join()
    return isKnownQuality && areAll && Object.entries(checks).every(([key, check]) => check(rest[key]))
  }
export const mapOf =
  (key: RegExp, check: Check): Check =>
  (value) =>
    isObject(value) && Object.entries(value).every(([name, item]) => key.test(name) && check(item))

/** Compact JSON. */
export const json =
  (check: Check): Form =>
  (payload) => {
    try {
      const value: unknown = JSON.parse(payload)
      return JSON.stringify(value) === payload && check(value)
    } catch {
      return false
    }
  }

export const rawOd = {
  calibrated: is(0),
  timestamp: datetime,
  angle: string,
  od: number,
  channel: string,
  ir_led_intensity: number,
}
export const calibratedOd = { ...rawOd, calibrated: is(1), calibration_name: string }
export const anyOd: Check = (value) => fields(rawOd)(value) || fields(calibratedOd)(value)
export const automationEvent = (name: string, data: Readonly<Record<string, Check>> | null): Form =>
  json(fields({ event_name: is(name), message: nullOr(string), data: data === null ? is(null) : fields(data) }))
export const anyAutomationEvent = json(fields({ event_name: string, message: nullOr(string), data: nullOr(isObject) }))
export const pid = json(
  fields({
    setpoint: number,
    output_limits_lb: number,
    output_limits_ub: number,
    Kd: number,
    Ki: number,
    Kp: number,
    integral: number,
    proportional: number,
    derivative: number,
    latest_input: number,
    latest_output: number,
    job_name: string,
    target_name: string,
  }),
)
export const automationSettings = json(
  fields({
    pioreactor_unit: is('lab'),
    experiment: string,
    started_at: datetime,
    ended_at: nullOr(datetime),
    automation_name: string,
    settings: (base64) => isObject(JSON.parse(Buffer.from(String(base64), 'base64').toString())),
  }),
)
export const dosingEvent = json(
  fields({ volume_change: number, event: string, source_of_event: nullOr(string), timestamp: datetime }),
)
export const ledChange = json(
  fields({ channel: string, intensity: number, source_of_event: nullOr(string), timestamp: datetime }),
)
