// The conversation with the server: frames by long polling, and what the reader does.

const RETRY = 1500; // milliseconds until the next attempt after a failure
const CALM = 400; // between two looks while nothing plays

// The folder in which the application lives, below whatever base path and inside whatever frame.
export function root(page) {
  const address = new URL(document.baseURI);
  const parts = address.pathname.replace(/\/+$/, "").split("/");
  if (parts[parts.length - 1] === page) parts.pop();
  else if (!address.pathname.endsWith("/")) parts.pop();
  return `${address.origin}${parts.join("/")}/`;
}

export class Server {
  // told: { frame(frame), trouble(sentence or ""), lost(id) }
  constructor(page, id, told) {
    this.id = id;
    this.address = `${root(page)}playground/${id}/`;
    this.told = told;
    this.open = true;
    this.seq = -1;
    this.stop = new AbortController();
    this.woken = () => {};
    this.onVisible = () => document.hidden || this.woken();
    document.addEventListener("visibilitychange", this.onVisible);
    this.poll();
  }

  close() {
    this.open = false;
    this.stop.abort();
    this.woken();
    document.removeEventListener("visibilitychange", this.onVisible);
  }

  async real() {
    return (await this.ask("real")).json();
  }

  // The whole run as a moving picture, a Blob.
  async animation() {
    return (await this.ask("animation")).blob();
  }

  // Sends one action; its refusal becomes the sentence that the reader sees.
  async send(action) {
    try {
      await this.ask("do", {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(action),
      });
      this.told.trouble("");
      this.woken();
      return true;
    } catch (error) {
      if (this.open) this.told.trouble(error.message);
      return false;
    }
  }

  async ask(name, options = {}) {
    let answer;
    try {
      answer = await fetch(this.address + name, { ...options, signal: this.stop.signal, cache: "no-store" });
    } catch {
      throw new Error("The server does not answer; trying again.");
    }
    if (answer.ok) return answer;
    const said = await answer.json().catch(() => ({}));
    const error = new Error(said.error || `The server answered ${answer.status}.`);
    error.gone = answer.status === 404;
    throw error;
  }

  async poll() {
    while (this.open) {
      let pause = 0;
      try {
        if (document.hidden) await this.sleep(60000); // a playground that nobody looks at may rest
        const answer = await this.ask(`frame?after=${this.seq}`);
        const frame = answer.status === 204 ? null : await answer.json();
        if (!this.open) return;
        this.told.reached?.();
        if (frame && frame.seq !== this.seq) {
          this.seq = frame.seq;
          this.told.frame(frame);
        }
        if (!frame || (!frame.playing && frame.stage === null)) pause = CALM;
      } catch (error) {
        if (!this.open) return;
        if (error.gone) return this.told.lost(this.id);
        this.told.trouble(error.message, true);
        pause = RETRY;
      }
      if (pause) await this.sleep(pause);
    }
  }

  sleep(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.woken = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
