/** One step of an exponential moving average; the first value counts whole.
 * @param alpha weight of the past, 0–1. */
export const emaStep = (previous: number | null, value: number, alpha: number): number =>
  previous === null ? value : (1 - alpha) * value + alpha * previous
