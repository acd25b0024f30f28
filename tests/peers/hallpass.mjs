// The built hallpass binary in a home of its own, and what its tests ask of every run.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, mkdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const BINARY = process.env.HALLPASS_BIN ?? fileURLToPath(new URL('../../target/debug/hallpass', import.meta.url));
const BROWSER = fileURLToPath(new URL('person.mjs', import.meta.url));
const SECONDS = 40;

export class Home {
  #secrets = new Set();
  #sawFile;

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'hallpass-peer-'));
    this.codexHome = join(this.folder, 'codex');
    mkdirSync(this.codexHome, { mode: 0o700 });
    this.recordFile = join(this.codexHome, 'auth.json');
    this.#sawFile = join(this.folder, 'saw');
  }

  // The last page that the scripted person saw, once it is there: hallpass may end before its browser has.
  async saw() {
    for (let attempt = 0; attempt < 100; attempt++) {
      if (existsSync(this.#sawFile)) return readFileSync(this.#sawFile, 'utf8');
      await sleep(50);
    }
    throw new Error('the person never saw a last page');
  }

  record() {
    return JSON.parse(readFileSync(this.recordFile, 'utf8'));
  }

  // What must never be printed by accident.
  keepsSecret(...values) {
    for (const value of values) if (value) this.#secrets.add(value);
  }

  // Runs `hallpass ARGS`, and answers {code, stdout, stderr}. `onLine` sees each line of stdout as it is printed.
  async run(args, { input, onLine, env = {} } = {}) {
    const child = spawn(BINARY, args, {
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      timeout: SECONDS * 1000,
      killSignal: 'SIGKILL',
      env: {
        PATH: process.env.PATH,
        HOME: this.folder,
        CODEX_HOME: this.codexHome,
        HALLPASS_HOME: join(this.folder, 'profiles'),
        BROWSER,
        PERSON_SAW: this.#sawFile,
        ...env,
      },
    });
    child.stdin?.end(input);
    const result = { args, stdout: '', stderr: '' };
    child.stderr.on('data', (data) => (result.stderr += data));
    createInterface({ input: child.stdout }).on('line', (line) => {
      result.stdout += `${line}\n`;
      onLine?.(line);
    });
    [result.code, result.signal] = await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (...how) => resolve(how));
    });
    this.#checkSecrets(result);
    return result;
  }

  // As run, and the exit code must be this one.
  async expect(code, args, options) {
    const result = await this.run(args, options);
    const { stdout, stderr, signal } = result;
    assert.equal(result.code, code, `hallpass ${args.join(' ')} (${signal ?? result.code})\n${stdout}${stderr}`);
    return result;
  }

  async json(args) {
    return JSON.parse((await this.expect(0, [...args, '--json'])).stdout);
  }

  #checkSecrets({ args, stdout, stderr }) {
    try {
      const { access_token, refresh_token, id_token } = this.record().tokens;
      this.keepsSecret(access_token, refresh_token, id_token);
    } catch {
      // No record, or not one with tokens: nothing new to keep.
    }
    const public_output = args[0] === 'token' ? stderr : stdout + stderr;
    for (const secret of this.#secrets) assert.ok(!public_output.includes(secret), `hallpass ${args[0]} printed a secret`);
  }

  async dispose() {
    // The person may still be writing there.
    await rm(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

export const loginArguments = (issuer, clientId = 'public') => [
  'login',
  ...['--issuer', issuer],
  ...['--client-id', clientId],
  ...['openid', 'email', 'offline_access'].flatMap((scope) => ['--scope', scope]),
];

// A server and a home for one test; both go when it ends.
export async function setUp(t, startServer, options) {
  const server = await startServer(options);
  const home = new Home();
  t.after(async () => {
    await server.stop();
    await home.dispose();
  });
  return { server, home };
}
