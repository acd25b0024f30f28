#!/usr/bin/env node
// A person without a browser: keeps cookies, follows redirects, fills in and submits whatever form a page shows.
// As a program (`BROWSER=person.mjs`) it opens the URL that it is given. PERSON=deny makes it refuse, and PERSON_SAW names
// a file for the page on which it ended.
import { renameSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const MAX_PAGES = 15;

const attribute = (tag, name) =>
  new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1].replaceAll('&amp;', '&').replaceAll('&quot;', '"');

// The first form of a page: where it goes, and what it would send as it stands.
function formOf(page) {
  const [, tag, inner] = /(<form\b[^>]*>)([\s\S]*?)<\/form>/.exec(page.text) ?? [];
  if (!tag) return undefined;
  const fields = {};
  for (const [input] of inner.matchAll(/<input\b[^>]*>/g)) {
    const name = attribute(input, 'name');
    if (/type="radio"/.test(input) && !/ checked/.test(input)) continue;
    if (name) fields[name] = attribute(input, 'value') ?? '';
  }
  const isGet = attribute(tag, 'method') === 'get';
  return { action: new URL(attribute(tag, 'action') ?? page.url, page.url), isGet, fields };
}

export class Person {
  #cookies = new Map();
  #end;

  constructor({ name = 'alice', denies = false } = {}) {
    this.name = name;
    this.denies = denies;
  }

  // Opens a URL and does what the pages ask for; answers the last page.
  async visit(url, { userCode } = {}) {
    let page = await this.#open(url);
    for (let turn = 0; turn < MAX_PAGES; turn++) {
      const form = formOf(page);
      if (!form || page.status >= 400) return page;
      const refusal = this.denies && this.#refusal(page, form);
      if (refusal) return refusal;
      page = await this.#submit(form, userCode);
    }
    throw new Error(`the pages do not end: ${page.url}`);
  }

  // Forgets who is signed in at the server.
  forget() {
    this.#cookies.clear();
  }

  // Opens a URL and does what the pages ask for, up to the redirect to this address, which is answered and not followed.
  async visitUntil(url, redirectUri) {
    this.#end = redirectUri;
    const page = await this.visit(url);
    return page.url;
  }

  #submit({ action, isGet, fields }, userCode) {
    // The pages of the embedded server have two buttons.
    if ('interaction' in fields) fields.decision = this.denies ? 'deny' : 'allow';
    if ('login' in fields) Object.assign(fields, { login: this.name, password: 'any' });
    if ('user_code' in fields && !fields.user_code) fields.user_code = userCode;
    if (isGet) return this.#open(new URL(`?${new URLSearchParams(fields)}`, action));
    return this.#open(action, new URLSearchParams(fields));
  }

  // The page after the refusal, where this page offers one.
  #refusal(page, { action, fields }) {
    const link = /href="([^"]*\/abort)"/.exec(page.text)?.[1];
    if (link) return this.#open(new URL(link, page.url));
    if (!('confirm' in fields)) return undefined;
    const { confirm, ...others } = fields;
    return this.#open(action, new URLSearchParams({ ...others, abort: 'yes' }));
  }

  async #open(url, body) {
    for (let hop = 0; hop < MAX_PAGES; hop++) {
      const response = await fetch(url, {
        method: body ? 'POST' : 'GET',
        body,
        redirect: 'manual',
        headers: { cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      });
      for (const line of response.headers.getSetCookie()) this.#remember(line);
      const location = response.headers.get('location');
      const text = await response.text();
      if (!location) return { url: String(url), status: response.status, text };
      url = new URL(location, url);
      if (this.#end && url.href.startsWith(this.#end)) return { url: url.href, status: response.status, text };
      body = undefined;
    }
    throw new Error(`too many redirects: ${url}`);
  }

  #remember(line) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
    if (value) this.#cookies.set(name, value);
    else this.#cookies.delete(name);
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { PERSON, PERSON_SAW } = process.env;
  const page = await new Person({ denies: PERSON === 'deny' }).visit(process.argv[2]);
  if (PERSON_SAW) {
    // Renamed into place, so that a reader finds the whole page or none.
    writeFileSync(`${PERSON_SAW}.new`, `${page.status}\n${page.text}`);
    renameSync(`${PERSON_SAW}.new`, PERSON_SAW);
  }
}
