const pulledFromOutside =
  'pulls an image of schema 1 by a digest that only the registry outside has, and there is no network'

/** Tests of the suite that fail here, and why. */
export const expectedFailures: Readonly<Record<string, string>> = {
  TestImagePullSchema1: pulledFromOutside,
  TestImagePullSchema1WithEmptyLayers: pulledFromOutside,
}
