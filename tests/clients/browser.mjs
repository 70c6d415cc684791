// A person's browser in a few lines: cookies, forms, and redirects that are followed as long as they stay with us.

export class Browser {
  constructor(origin, email, password) {
    Object.assign(this, { origin, email, password, cookies: new Map() });
  }

  async fetch(url, options = {}) {
    const headers = { ...options.headers };
    if (this.cookies.size) headers.cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await fetch(url, { ...options, headers, redirect: "manual" });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
      this.cookies.set(name, value);
    }
    return answer;
  }

  async submit(url, html, filled) {
    const form = html.match(/<form[^>]*>[\s\S]*?<\/form>/)[0];
    const fields = new URLSearchParams();
    const plain = (text) => text.replaceAll("&amp;", "&").replaceAll("&#34;", '"').replaceAll("&#39;", "'");
    for (const [tag] of form.matchAll(/<input\b[^>]*>/g)) {
      const name = tag.match(/\bname="([^"]*)"/)?.[1];
      if (name && !/type="radio"/.test(tag)) fields.set(name, plain(tag.match(/\bvalue="([^"]*)"/)?.[1] ?? ""));
    }
    for (const [name, value] of Object.entries(filled)) fields.set(name, value);
    const action = new URL(plain(form.match(/\baction="([^"]*)"/)[1]), url);
    return this.fetch(action, { method: "POST", body: fields });
  }

  // Goes to an address, signs in where that is asked for, allows what is asked for; the address at which the app is called back,
  // or the text of the last page.
  async allow(address, filled = {}) {
    let url = new URL(address);
    let answer = await this.fetch(url);
    for (let steps = 0; steps < 10; steps++) {
      if (answer.status === 303) {
        url = new URL(answer.headers.get("location"), url);
        if (url.origin !== this.origin) return url;
        answer = await this.fetch(url);
        continue;
      }
      const html = await answer.text();
      if (answer.status !== 200) throw new Error(`${answer.status} ${url}\n${html}`);
      if (html.includes('name="password"')) {
        answer = await this.submit(url, html, { email: this.email, password: this.password });
      } else if (html.includes('name="decision"')) {
        answer = await this.submit(url, html, { decision: "allow", ...filled });
      } else {
        return html;
      }
    }
    throw new Error("too many redirects");
  }
}

export const check = (fact, what) => {
  if (!fact) throw new Error(`not so: ${what}`);
};
