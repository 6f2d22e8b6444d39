import { createRequire } from 'node:module'
import { Resvg } from '@resvg/resvg-js'
import { parse, View } from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'
import { FONT } from './plot-spec.js'

const require = createRequire(import.meta.url)
/** The machine may have no fonts at all, and without one resvg draws no text and says nothing. */
const FONT_FILES = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((name) =>
  require.resolve(`dejavu-fonts-ttf/ttf/${name}`),
)

/** PNG of a specification; the same bytes each time. */
export async function drawPlot(spec: TopLevelSpec): Promise<Uint8Array> {
  const view = new View(parse(compile(spec).spec), { renderer: 'none' })
  try {
    const svg = await view.toSVG()
    const font = { fontFiles: FONT_FILES, loadSystemFonts: false, defaultFontFamily: FONT, sansSerifFamily: FONT }
    return new Resvg(svg, { background: 'white', font }).render().asPng()
  } finally {
    view.finalize()
  }
}
