import type { MqttClient } from 'mqtt'
import { until } from './until.js'

export interface Seen {
  readonly topic: string
  readonly text: string
  readonly retain: boolean
}

/** Collects what a subscriber receives. */
export async function watch(client: MqttClient, filter: string) {
  const seen: Seen[] = []
  client.on('message', (topic, payload, { retain }) => {
    seen.push({ topic, text: payload.toString(), retain })
  })
  await client.subscribeAsync(filter, { qos: 1 })
  return {
    seen,
    texts: (suffix: string): string[] => seen.filter(({ topic }) => topic.endsWith(suffix)).map(({ text }) => text),
    /** Waits until some message whose topic ends so satisfies the predicate. */
    async first(suffix: string, predicate: (text: string) => boolean = () => true): Promise<string> {
      const find = () => seen.find(({ topic, text }) => topic.endsWith(suffix) && predicate(text))
      await until(() => find() !== undefined, `a fitting message on …${suffix}`)
      return find()?.text ?? ''
    },
  }
}
