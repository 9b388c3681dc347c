/** Whether tests run whole (`npm run test:long`) or in the short form of `npm test`, which leaves out repetitions alone. */
export const LONG = process.env.ADJOINT_LONG === "1"
