// The platforms that there is a native library for: each has a package of its own, which npm installs where it fits.

/** From `process.platform` and `process.arch` to the packages to try, in this order. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  "linux-x64": ["@hallpass/linux-x64-gnu", "@hallpass/linux-x64-musl"],
  "linux-arm64": ["@hallpass/linux-arm64-gnu", "@hallpass/linux-arm64-musl"],
  "darwin-x64": ["@hallpass/darwin-x64"],
  "darwin-arm64": ["@hallpass/darwin-arm64"],
  "win32-x64": ["@hallpass/win32-x64"],
  "win32-arm64": ["@hallpass/win32-arm64"],
};
