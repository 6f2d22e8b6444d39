import { expect, it } from 'vitest'
import type { RunStatusBody } from '../../http-gateway/endpoints/box/run-status.js'
import { readZip } from '../http-gateway/support/read-zip.js'
import { outputsOn } from './bench-outputs.js'
import type { BoxClient } from './box-client.js'

/** A run that was followed to its end: every status on the way, the last one included. */
export interface FollowedRun {
  readonly box: BoxClient
  readonly home: string
  readonly seen: readonly RunStatusBody[]
}

export interface ExpectedRows {
  readonly CV: number
  readonly EIS: number
}

const HEADERS = {
  CV: 'Time (s),Potential (V),Current (A),Cycle,Exp,Applied potential (V),Saturated',
  EIS: 'Time (s),Potential (V),Current (A),Exp,Frequency (Hz),Z Real,Z Imaginary,Z Magnitude,Phase (deg),Saturated',
}

/** What must hold of one of the contract's CV → EIS orders on two slots. */
export function expectContractRun(run: () => FollowedRun, experiment: string, rows: ExpectedRows): void {
  const last = () => run().seen.at(-1) as RunStatusBody

  it('ends as done, both slots, with nothing polarised', () => {
    expect(last()).toMatchObject({
      status: 'done',
      progress_pct: 100,
      remaining_s: 0,
      current_mode: null,
      remaining_modes: [],
    })
    // At 1000 Hz a period has seven samples: no reason to fail, but to be told.
    const warned = expect.stringMatching(/^EIS: start_freq is 1000 Hz, above 250 Hz: .*error\.$/)
    expect(last().slots.map(({ slot, status, message }) => [slot, status, message])).toEqual([
      ['slot01', 'done', warned],
      ['slot02', 'done', warned],
    ])
    expect(outputsOn(run().home)).toEqual([])
  })

  it('shows CV, then EIS; progress that only rises, remaining time that only falls', () => {
    const { seen } = run()
    const changes = seen
      .map(({ current_mode, remaining_modes }) => [current_mode, remaining_modes])
      .filter((now, index, all) => JSON.stringify(now) !== JSON.stringify(all[index - 1]))
    expect(changes).toEqual([
      ['CV', ['EIS']],
      ['EIS', []],
      [null, []],
    ])
    const percents = seen.map(({ progress_pct }) => progress_pct)
    expect(percents).toEqual([...percents].sort((one, other) => one - other))
    expect(new Set(percents).size).toBeGreaterThan(4)
    const remaining = seen.map(({ remaining_s }) => remaining_s ?? Number.NaN)
    expect(remaining).toEqual([...remaining].sort((one, other) => other - one))
    // While the second mode runs, the job is neither over nor as good as over.
    const second = seen.filter(({ current_mode }) => current_mode === 'EIS')
    expect(second.some(({ progress_pct, remaining_s }) => progress_pct < 99 && (remaining_s ?? 0) > 0)).toBe(true)
  })

  it.each(['slot01', 'slot02'])(
    'leaves CSV, sidecar and plot of both modes of %s, every row in place',
    async (slot) => {
      const { box } = run()
      const archive = readZip((await box.get(`/runs/${last().run_id}/zip`)).bytes)
      for (const mode of ['CV', 'EIS'] as const) {
        const base = `${slot}/${mode}/${experiment}_${slot}_${mode}`
        expect(archive.map(({ name }) => name)).toEqual(
          expect.arrayContaining([`${base}.csv`, `${base}.json`, `${base}.png`]),
        )
        const csv = archive.find(({ name }) => name === `${base}.csv`)?.content.toString() ?? ''
        const [header, ...lines] = csv.trimEnd().split('\r\n')
        expect([header, lines.length]).toEqual([HEADERS[mode], rows[mode]])
      }
    },
  )
}
