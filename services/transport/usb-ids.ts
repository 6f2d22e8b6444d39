/** USB ids of the BEEP potentiostat, as the kernel writes them: 2022 and 22099 there, written as decimals. */
export const POTENTIOSTAT_USB = { vendorId: '07e6', productId: '5653' } as const
