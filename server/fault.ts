/** Something that whoever runs Laurel can put right. Printed as it is, without a stack; the process exits with 1. */
export class Fixable extends Error {}
