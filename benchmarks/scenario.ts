export type Print = (text: string) => void

/** One benchmark: measures, and prints its figures beside those of a peer in the same run. */
export interface Scenario {
  readonly name: string
  readonly summary: string
  readonly run: (print: Print) => Promise<void>
}
