/** What is so in the vial, whatever the sensors say: for tests and for people who look at the bench, never for the software that drives it. */
export interface VialTruth {
  /** Optical density at 1 cm, dead cells included. */
  readonly od: number
  readonly viable_od: number
  /** Of the optical density, were nothing dosed, 1/h. */
  readonly growth_rate_per_hour: number
  /** As a share of that of fresh medium. */
  readonly nutrient: number
  readonly volume_ml: number
  readonly alt_media_fraction: number
  /** Moved since the bench began. */
  readonly media_in_ml: number
  readonly alt_media_in_ml: number
  readonly waste_out_ml: number
  readonly spilled_ml: number
  readonly evaporated_ml: number
  /** In the measuring glass, since it was emptied. */
  readonly glass_ml: number
  readonly culture_c: number
  readonly wall_c: number
  readonly heater_board_c: number
  readonly rpm: number
}
