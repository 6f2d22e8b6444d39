/* One page over REST and MQTT-on-WebSocket; keeps nothing, changes nothing. */

const MAX_POINTS = 600
const MAX_EVENTS = 60
const REFRESH_MS = 2000

const element = (id) => document.getElementById(id)
/** What is drawn of one experiment: the one that was heard of last. */
const series = Object.fromEntries(
  ['od', 'growth', 'temperature', 'volume', 'rpm'].map((id) => [id, { experiment: '', points: [] }]),
)
const jobSettings = new Map()
/** Vials that overflow: what is said of it, by topic. */
const overflows = new Map()
const decoder = new TextDecoder()

/** Text nodes only: nothing that comes from the unit is ever read as markup. */
function row(cells) {
  const tr = document.createElement('tr')
  for (const cell of cells) {
    const td = document.createElement('td')
    td.append(cell instanceof Node ? cell : String(cell))
    tr.append(td)
  }
  return tr
}

function badge(id, text, kind = '') {
  element(id).textContent = text
  element(id).className = `badge ${kind}`
}

async function getJson(path) {
  const response = await fetch(path)
  if (!response.ok) throw new Error(`${path}: ${response.status}`)
  return response.json()
}

function draw(id, points, unit) {
  const svg = element(id)
  svg.replaceChildren()
  const add = (name, attributes, text = '') => {
    const node = document.createElementNS('http://www.w3.org/2000/svg', name)
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value)
    node.textContent = text
    svg.append(node)
  }
  if (points.length === 0) {
    add('text', { x: 300, y: 110, 'text-anchor': 'middle' }, 'no readings yet')
    return
  }
  const [left, right, top, bottom] = [76, 590, 12, 190]
  const times = points.map(({ time }) => time)
  const values = points.map(({ value }) => value)
  const [t0, t1] = [Math.min(...times), Math.max(...times)]
  const pad = (Math.max(...values) - Math.min(...values)) * 0.1 || Math.abs(values[0]) * 0.1 || 1
  const lowest = Math.min(...values)
  // What is never negative has no room below 0.
  const [v0, v1] = [lowest < 0 ? lowest - pad : Math.max(0, lowest - pad), Math.max(...values) + pad]
  // As many decimals as tell the three labels apart.
  const decimals = Math.min(8, Math.max(0, 1 - Math.floor(Math.log10(v1 - v0))))
  const x = (time) => left + ((time - t0) / (t1 - t0 || 1)) * (right - left)
  const y = (value) => bottom - ((value - v0) / (v1 - v0)) * (bottom - top)
  for (const value of [v0, (v0 + v1) / 2, v1]) {
    add('line', { x1: left, x2: right, y1: y(value), y2: y(value) })
    add('text', { x: left - 6, y: y(value) + 4, 'text-anchor': 'end' }, value.toFixed(decimals))
  }
  add('text', { x: left, y: 212 }, new Date(t0).toLocaleTimeString())
  add('text', { x: right, y: 212, 'text-anchor': 'end' }, new Date(t1).toLocaleTimeString())
  add('text', { x: (left + right) / 2, y: 212, 'text-anchor': 'middle' }, unit)
  for (const { time, value } of points.slice(-1)) add('circle', { cx: x(time), cy: y(value), r: 4 })
  add('polyline', { points: points.map(({ time, value }) => `${x(time)},${y(value)}`).join(' ') })
}

function plot(id, experiment, timestamp, value, unit) {
  const shown = series[id]
  const time = Date.parse(timestamp)
  // Old experiments stand on their topics too.
  if (time < (shown.points.at(-1)?.time ?? 0)) return
  if (shown.experiment !== experiment) Object.assign(shown, { experiment, points: [] })
  shown.points.push({ time, value })
  if (shown.points.length > MAX_POINTS) shown.points.shift()
  element(id).closest('section').hidden = false
  draw(id, shown.points, `${unit}, ${experiment}`)
}

/** Job and setting → chart, and its timestamp, value and unit in a message. */
const CHARTS = {
  'od_reading/ods': ({ timestamp, ods }) => {
    const [reading] = Object.values(ods)
    return ['od', timestamp, reading.od, `channel ${reading.channel}, ${reading.angle}°`]
  },
  'growth_rate_calculating/growth_rate': ({ timestamp, growth_rate: rate }) => ['growth', timestamp, rate, '1/h'],
  'temperature_automation/temperature': ({ timestamp, temperature }) => ['temperature', timestamp, temperature, '℃'],
  'stirring/measured_rpm': ({ timestamp, measured_rpm: rpm }) => ['rpm', timestamp, rpm, 'RPM'],
}

function showOverflow(topic, text) {
  if (text === '') overflows.delete(topic)
  else overflows.set(topic, JSON.parse(text))
  const [first] = [...overflows].map(
    ([name, { spilled_ml: ml }]) => `${name.split('/')[3]}: ${ml.toFixed(2)} mL spilled`,
  )
  element('overflow').hidden = first === undefined
  element('overflow').textContent = `vial overflows, ${first}`
}

function showEvent(topic, text) {
  const item = document.createElement('li')
  const name = document.createElement('b')
  name.textContent = topic
  item.append(name, ` ${text.length > 200 ? `${text.slice(0, 200)} …` : text}`)
  element('events').prepend(item)
  while (element('events').children.length > MAX_EVENTS) element('events').lastChild.remove()
}

function receive(topic, payload, retained) {
  const text = decoder.decode(payload)
  const [, unit, experiment, job, setting] = topic.split('/')
  if (!retained) showEvent(topic, text)
  if (topic === '$SYS/benchlog/log') {
    const { writable, reason } = JSON.parse(text)
    badge('log', writable ? 'log is written' : `log: ${reason}`, writable ? 'good' : 'bad')
  } else if (topic.startsWith('system/') && experiment === 'service' && text !== '') {
    const { state, hardware, reason } = JSON.parse(text)
    element('unit').textContent = unit
    element('simulated').hidden = hardware !== 'simulated'
    badge(
      'services',
      reason === null ? `services ${state}` : `services ${state}: ${reason}`,
      state === 'ready' ? 'good' : 'bad',
    )
  } else if (topic.startsWith('system/') && experiment === 'liquids') {
    if (topic.endsWith('/overflow')) showOverflow(topic, text)
    else if (text !== '') {
      const { liquid, timestamp } = JSON.parse(text)
      plot('volume', job, timestamp, liquid.volume_ml, 'mL')
    }
  } else if (topic.startsWith('pioreactor/') && setting !== undefined && !topic.endsWith('/set')) {
    const settings = jobSettings.get(job) ?? new Map()
    jobSettings.set(job, settings)
    if (text === '') settings.delete(setting)
    else settings.set(setting, text)
    const chart = CHARTS[`${job}/${setting}`]
    if (chart !== undefined && text !== '') {
      const [id, ...point] = chart(JSON.parse(text))
      plot(id, experiment, ...point)
    }
  }
}

const SCALAR = /^[^{[]{1,24}$/
/** Settings that are Unix times in s. */
const TIMES = new Set(['first_od_obs_time'])
const valueText = (name, text) => (TIMES.has(name) ? new Date(Number(text) * 1000).toLocaleTimeString() : text)
const settingsText = (job) =>
  [...(jobSettings.get(job) ?? [])]
    .filter(([name, text]) => name !== '$state' && SCALAR.test(text))
    .map(([name, text]) => `${name} ${valueText(name, text)}`)
    .join(', ')

function filesLink(run) {
  const link = document.createElement('a')
  link.href = `/runs/${encodeURIComponent(run.run_id)}/zip`
  link.textContent = 'zip'
  return link
}

function progressBar(run) {
  const span = document.createElement('span')
  const bar = document.createElement('progress')
  bar.max = 100
  bar.value = run.progress_pct
  const left = run.status === 'running' && run.remaining_s !== null ? `, ${run.remaining_s} s left` : ''
  span.append(bar, ` ${run.status}${left}`)
  return span
}

async function refresh() {
  try {
    const [jobs, devices, runs] = await Promise.all([
      getJson('/unit_api/jobs/running'),
      getJson('/devices'),
      getJson('/jobs'),
    ])
    element('jobs').replaceChildren(
      ...jobs.map(({ job_name: name, experiment }) =>
        row([name, experiment, jobSettings.get(name)?.get('$state') ?? '', settingsText(name)]),
      ),
    )
    if (jobs.length === 0) element('jobs').append(row(['none runs', '', '', '']))
    element('devices').replaceChildren(
      ...devices.map(({ slot, sn, run_id: run }) => row([slot, sn ?? 'unknown', run ?? 'idle'])),
    )
    const latest = await Promise.all(
      runs.slice(0, 6).map(({ run_id: id }) => getJson(`/jobs/${encodeURIComponent(id)}`)),
    )
    element('runs').replaceChildren(
      ...latest.map((run) => row([run.run_id, run.modes.join(', '), progressBar(run), filesLink(run)])),
    )
  } catch (error) {
    showEvent('dashboard', error.message)
  }
}

const client = window.mqtt.connect(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/mqtt`, {
  protocolVersion: 4,
})
client.on('connect', () => {
  badge('link', 'live', 'good')
  client.subscribe([
    'pioreactor/#',
    'system/+/service',
    'system/+/jobs/+',
    'system/+/liquids/#',
    'potentiostat/+/+/progress',
    '$SYS/benchlog/log',
  ])
})
client.on('close', () => badge('link', 'not connected', 'bad'))
client.on('message', (topic, payload, packet) => {
  try {
    receive(topic, payload, packet.retain)
  } catch (error) {
    // Anybody may publish anything.
    showEvent(topic, `not understood: ${error.message}`)
  }
})

for (const id of Object.keys(series)) draw(id, [], '')
void refresh()
setInterval(refresh, REFRESH_MS)
