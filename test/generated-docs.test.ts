import { expect, it } from 'vitest'
import { renderSettings } from '../cli/render-settings.js'
import { renderTopics } from '../cli/render-topics.js'
import { renderWiring } from '../cli/render-wiring.js'
import { renderAsyncApi } from '../http-gateway/async-api/document.js'
import { catalogue } from '../instruments.js'
import { jobDefinitions } from '../services/bioreactor/index.js'

/** `vitest run -u` writes the pages anew. */
const page = (name: string): string => `${process.cwd()}/docs/${name}`

it('docs/settings.md is written from the settings', () =>
  expect(renderSettings()).toMatchFileSnapshot(page('settings.md')))

it('docs/topics.md is written from the declarations', () =>
  expect(renderTopics()).toMatchFileSnapshot(page('topics.md')))

it('docs/asyncapi.json is written from the declarations', () =>
  expect(
    renderAsyncApi(
      jobDefinitions.map((definition) => definition.capability('u1')),
      catalogue,
    ),
  ).toMatchFileSnapshot(page('asyncapi.json')))

it('docs/wiring.md is written from the tables of the drivers', () =>
  expect(renderWiring()).toMatchFileSnapshot(page('wiring.md')))
