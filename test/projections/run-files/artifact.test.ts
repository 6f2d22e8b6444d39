import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Resvg } from '@resvg/resvg-js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RunOrder } from '../../../events/potentiostat/run-order.js'
import type { SampleBlock } from '../../../events/potentiostat/samples.js'
import { type ArtifactRequest, makeArtifact } from '../../../projections/run-files/artifact.js'
import type { CsvRow } from '../../../projections/run-files/csv-reader.js'
import { csvHeader, csvRows } from '../../../projections/run-files/csv-rows.js'
import { Decimator } from '../../../projections/run-files/decimate.js'
import { temporaryDirectory } from '../../support/temporary-directory.js'
import { ca, cv, order, T0 } from '../lab-events.js'

type Mode = RunOrder['modes'][number]

/** A finished CSV on disk, with the request for its plot. */
function measured(mode: Mode, values: Partial<SampleBlock>): ArtifactRequest {
  const directory = temporaryDirectory()
  const csvPath = join(directory, 'run.csv')
  const block = { mode_index: 0, first: 0, first_sample: 0, timestamp: T0, current: [], potential: [], ...values }
  const text = csvHeader(mode.columns) + csvRows(mode.columns, block, { period_s: 0.00036, average: 1 })
  writeFileSync(csvPath, text)
  const sidecarPath = join(directory, 'run.json')
  writeFileSync(sidecarPath, JSON.stringify({ warnings: [] }))
  return {
    csvPath,
    sidecarPath,
    targetPath: join(directory, 'run.png'),
    rows: text.split('\r\n').length - 2,
    order: order('20261120T094157_56a1cb', { modes: [mode] }).payload as RunOrder,
    slot: 'slot01',
    modeIndex: 0,
  }
}

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

/** Two cycles of a reversible couple, the second a little smaller. */
function voltammogram() {
  const count = 12_000
  const phase = (row: number): number => (row % 6000) / 6000
  const potential = range(count).map((row) => 0.5 - Math.abs(phase(row) - 0.5) * 2)
  const current = range(count).map((row, index) => {
    const forward = phase(row) < 0.5 ? 1 : -1
    const e = (potential[index] ?? 0) - 0.1 - forward * 0.03
    return forward * 1.5e-5 * Math.exp(-((e / 0.08) ** 2)) * (row < 6000 ? 1 : 0.8) + forward * 2e-6
  })
  return measured(cv(count), {
    potential,
    current,
    applied: potential,
    cycle: [
      [1, 6000],
      [2, 6000],
    ],
  })
}

const EIS: Mode = {
  mode: 'EIS',
  params: {},
  rows: 31,
  planned_s: 20,
  plot: 'impedance',
  columns: [
    { header: 'Time (s)', field: 'time' },
    { header: 'Potential (V)', field: 'potential' },
    { header: 'Current (A)', field: 'current' },
    { header: 'Exp', field: 'exp' },
    { header: 'Frequency (Hz)', field: 'frequency' },
    { header: 'Z Real', field: 'z_real' },
    { header: 'Z Imaginary', field: 'z_imag' },
    { header: 'Z Magnitude', field: 'z_abs' },
    { header: 'Phase (deg)', field: 'phase' },
  ],
}

/** 200 Ω in series with 120 Ω parallel to 50 µF, and a Warburg tail. */
function spectrum() {
  const frequency = range(31).map((index) => 10 ** (2.4 - index * 0.1))
  const points = frequency.map((f) => {
    const wrc = 2 * Math.PI * f * 120 * 50e-6
    const tail = 300 / Math.sqrt(2 * Math.PI * f)
    return { re: 200 + 120 / (1 + wrc ** 2) + tail, im: -(120 * wrc) / (1 + wrc ** 2) - tail }
  })
  return measured(EIS, {
    frequency,
    time: frequency.map((_, index) => index),
    potential: frequency.map(() => 0.01),
    current: frequency.map(() => 1e-5),
    z_real: points.map(({ re }) => re),
    z_imag: points.map(({ im }) => im),
    z_abs: points.map(({ re, im }) => Math.hypot(re, im)),
    phase: points.map(({ re, im }) => (Math.atan2(im, re) * 180) / Math.PI),
  })
}

const step = () => {
  const current = range(3000).map((row) => 1e-4 / Math.sqrt(row + 1))
  return measured(ca(3000), { potential: current.map(() => 0.2), applied: current.map(() => 0.2), current })
}

/** Pixels of a PNG as RGBA bytes, by way of an SVG that shows it. */
function pixels(png: Uint8Array): { width: number; height: number; rgba: Uint8Array } {
  const view = new DataView(png.buffer, png.byteOffset)
  const [width, height] = [view.getUint32(16), view.getUint32(20)]
  const href = `data:image/png;base64,${Buffer.from(png).toString('base64')}`
  const image = new Resvg(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><image href="${href}" width="${width}" height="${height}"/></svg>`,
  ).render()
  return { width, height, rgba: image.pixels }
}

/** Black pixels, which only letters and digits have, in a part of the image given as shares of its size. */
function textPixels(png: Uint8Array, left: number, top: number, right: number, bottom: number): number {
  const { width, height, rgba } = pixels(png)
  let count = 0
  for (let y = Math.floor(top * height); y < bottom * height; y++) {
    for (let x = Math.floor(left * width); x < right * width; x++) {
      const at = (y * width + x) * 4
      if ((rgba[at] ?? 255) < 60 && (rgba[at + 1] ?? 255) < 60 && (rgba[at + 2] ?? 255) < 60) count++
    }
  }
  return count
}

describe('plots', () => {
  test.each([
    ['cyclic voltammogram', voltammogram],
    ['impedance spectrum', spectrum],
    ['time series', step],
  ])('of a %s have a title, axis titles and numbers one can read', async (_, make) => {
    const request = make()
    const bytes = await makeArtifact(request)
    const png = readFileSync(request.targetPath)
    expect(png).toHaveLength(bytes)
    expect(textPixels(png, 0, 0, 0.7, 0.12)).toBeGreaterThan(800)
    expect(textPixels(png, 0, 0.15, 0.09, 1)).toBeGreaterThan(150)
    expect(textPixels(png, 0, 0.9, 1, 1)).toBeGreaterThan(150)
  })

  test('carry what the data must not be read without, and mark the samples it is about', async () => {
    const clipped = (marks: Partial<SampleBlock>) => {
      const mode = ca(3000)
      const columns = [...mode.columns, { header: 'Saturated', field: 'saturated' } as const]
      const current = range(3000).map((row) => (row < 1000 ? 3e-6 : row < 2000 ? 1e-6 : 5e-6))
      const applied = current.map(() => 0.2)
      return measured({ ...mode, columns }, { current, potential: applied, applied, ...marks })
    }
    const [plain, marked] = [
      clipped({}),
      clipped({
        saturated: [
          [1, 1000],
          [0, 2000],
        ],
      }),
    ]
    const message =
      'The current is clipped at the full scale of tia_gain 3 (±5.445 µA) in 1000 of 3000 samples (33.3 %).'
    writeFileSync(marked.sidecarPath, JSON.stringify({ warnings: ['an early sentence', { code: 'c', message }] }))
    await makeArtifact(plain)
    await makeArtifact(marked)
    const [without, withMarks] = [plain, marked].map(({ targetPath }) => readFileSync(targetPath))
    if (without === undefined || withMarks === undefined) throw new Error('no plot')
    expect(textPixels(without, 0.12, 0.2, 0.35, 0.42)).toBe(0)
    // The line of the clipped third, 5 pixels thick.
    expect(textPixels(withMarks, 0.12, 0.2, 0.35, 0.42)).toBeGreaterThan(500)
    expect(textPixels(withMarks, 0, 0, 1, 0.19)).toBeGreaterThan(textPixels(without, 0, 0, 1, 0.19) + 1000)
  })

  test('of a spectrum without a single result still tell why', async () => {
    const request = measured(EIS, {
      frequency: [10, 1],
      time: [1, 2],
      potential: [0, 0],
      current: [0, 0],
    })
    writeFileSync(request.sidecarPath, JSON.stringify({ warnings: [{ code: 'not_evaluated', message: 'Clipped.' }] }))
    expect(await makeArtifact(request)).toBeGreaterThan(1000)
  })

  test('are the same bytes each time', async () => {
    const first = spectrum()
    const second = spectrum()
    await makeArtifact(first)
    await makeArtifact(second)
    expect(readFileSync(second.targetPath).equals(readFileSync(first.targetPath))).toBe(true)
  })
})

describe('thinning', () => {
  test('keeps at most the points asked for, in order, with the peaks of every cycle', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.float({ noNaN: true }), fc.float({ noNaN: true })), { minLength: 1, maxLength: 5000 }),
        fc.integer({ min: 1, max: 5 }),
        (values, cycles) => {
          const rows: CsvRow[] = values.map(([current, potential], index) => ({
            time: index,
            current,
            potential,
            cycle: Math.floor((index * cycles) / values.length),
          }))
          const decimator = new Decimator(rows.length, 1000)
          for (const row of rows) decimator.add(row)
          const kept = decimator.end()
          expect(kept.length).toBeLessThanOrEqual(1000)
          expect(kept).toEqual([...kept].sort((a, b) => Number(a.time) - Number(b.time)))
          for (let cycle = 0; cycle < cycles; cycle++) {
            const peak = (list: readonly CsvRow[]) =>
              list
                .filter((row) => row.cycle === cycle)
                .reduce((max, { current }) => Math.max(max, current ?? 0), -1e300)
            expect(peak(kept)).toBe(peak(rows))
          }
        },
      ),
      { numRuns: 20 },
    )
  })

  test('keeps everything that fits', () => {
    const decimator = new Decimator(10, 10)
    for (const time of range(10)) decimator.add({ time, current: 0, potential: 0 })
    expect(decimator.end()).toHaveLength(10)
  })
})
