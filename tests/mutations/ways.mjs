// Breaks the JavaScript of a package in one place after another and sees whether a test notices.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

/** For so long a test may run, in milliseconds: what hangs is noticed too. */
const PATIENCE = 60_000;

/**
 * Tries each way to break something, or those whose file begins as the first argument of the program says. How many
 * were not noticed is the program's exit code.
 *
 * @param ways the file, what stands there, what shall stand there, and the tests that must notice: their file, their name
 * @param sources the folder of the files
 * @param tests the folder of the tests
 * @param build is called when a file has changed, where something is made of it
 * @param options further options of `node --test`
 */
export function tryAll(ways, { sources, tests, build = () => {}, options = [] }) {
  let missed = 0;
  for (const [file, from, to, suite, test] of ways) {
    if (!file.startsWith(process.argv[2] ?? "")) continue;
    const path = new URL(file, sources);
    const whole = readFileSync(path, "utf8");
    const broken = whole.replace(from, () => to);
    if (broken === whole) throw new Error(`${file} has no \`${from}\``);
    writeFileSync(path, broken);
    build();
    const how = ["--test", ...options, `--test-name-pattern=${test}`, `${suite}.test.mjs`];
    const run = spawnSync(process.execPath, how, { cwd: tests, timeout: PATIENCE });
    writeFileSync(path, whole);
    const noticed = run.status !== 0;
    if (!noticed) missed += 1;
    console.log(`${noticed ? "noticed    " : "NOT NOTICED"} ${file}: ${from}`);
  }
  build();
  process.exitCode = missed;
}
