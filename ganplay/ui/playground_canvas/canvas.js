// The component: puts the parts together and keeps them up to date. Streamlit calls the default export at every run of
// its script with the same parent element, so everything that lives on is found again by that element.
import { bytes, coordinates, make } from "./codec.js";
import { Drawing } from "./drawing.js";
import { Graph } from "./graph.js";
import { Plane, caption } from "./plane.js";
import { Server } from "./server.js";
import { Stages } from "./stages.js";
import { Transport } from "./transport.js";

const THUMBNAILS_EVERY = 180; // milliseconds
const FAST = 60; // iterations a frame of a story
const SETTLED_AFTER = 350; // until a state that no longer changes is told to the page
const alive = new WeakMap();

class Playground {
  constructor(parent, data) {
    this.shown = -1; // which GAN the graph shows
    this.pictures = [];
    this.planes = [];
    this.drawnThumbnails = 0;
    this.root = make("div", { class: "playground" });
    this.looks = {
      colours: data.colours, layers: new Set(data.layers), noise: () => this.data.noise,
      ink: () => getComputedStyle(this.root).color, paper: () => getComputedStyle(this.root).backgroundColor,
      dirty: () => this.request(), drawing: (on) => this.root.classList.toggle("is-drawing", on),
    };
    this.build(parent, data);
    this.request();
  }

  build(parent, data) {
    this.transport = new Transport((action) => this.server?.send(action), data.speeds);
    this.stages = new Stages();
    this.graph = new Graph(this.looks, (part) => this.choose(part));
    this.part = data.part;
    this.choice = make("div", { class: "choice", role: "group", "aria-label": "Whose model is shown" });
    this.drawing = new Drawing(this.looks, data.drawing.extent, data.drawing.most, (points) => this.learn(points));
    this.places = make("div", { class: "planes" });
    this.caption = caption(this.looks, () => {
      this.tell("layers", [...this.looks.layers]);
      this.request();
    });
    this.pencil = make("button", { type: "button", class: "pencil" }, "Draw your own data");
    this.pencil.addEventListener("click", () => this.drawing.show(true));
    this.film = make("button", { type: "button" }, "Save as animation");
    this.film.addEventListener("click", () => this.save());
    this.trouble = make("p", { class: "trouble", role: "status" });
    const views = make("div", { class: "views" });
    for (const [name, ...parts] of [
      ["model", this.choice, this.graph.element], ["plane-area", this.drawing.element, this.places],
      ["below", this.caption, this.pencil, this.film],
    ]) {
      const area = make("div", { class: name });
      area.append(...parts);
      views.append(area);
    }
    this.root.append(this.transport.element, this.trouble, this.stages.element, views);
    parent.append(this.root);
  }

  update({ data, setStateValue, setTriggerValue }) {
    this.tell = setStateValue;
    this.trigger = setTriggerValue;
    const before = this.data;
    this.data = data;
    this.looks.colours = data.colours;
    for (const [name, colour] of Object.entries(data.colours)) this.root.style.setProperty(`--of-${name}`, colour);
    this.root.classList.toggle("two", data.names.length > 1);
    for (const [part, hidden] of Object.entries({
      graph: this.graph.element, transport: this.transport.element, draw: this.pencil, layers: this.caption,
      export: this.film,
    })) hidden.hidden = data.hide.includes(part);
    this.graph.choose(this.part);
    if (!before || before.id !== data.id) this.connect();
    else {
      this.planes.forEach((plane, index) => plane.rename(data.names[index]));
      if (before.dataset !== data.dataset) this.fetchReal(this.server);
    }
    this.request();
  }

  connect() {
    this.server?.close();
    this.planes.forEach((plane) => plane.close());
    this.pictures = [];
    this.planes = this.data.names.map((name) => new Plane(name, this.looks));
    this.places.replaceChildren(...this.planes.map((plane) => plane.figure));
    this.offerChoice();
    this.reality = null;
    this.told = this.coming = null;
    this.say("The process that trains is getting ready …", true);
    this.server = new Server(this.data.page, this.data.id, {
      frame: (frame) => this.receive(frame), trouble: (...said) => this.say(...said), reached: () => this.reached(),
      lost: (id) => this.trigger("lost", id),
    });
  }

  offerChoice() {
    this.shown = Math.min(Math.max(0, this.shown), this.data.names.length - 1);
    this.choice.hidden = this.data.names.length < 2;
    this.choice.replaceChildren(...this.data.names.map((name, index) => {
      const button = make("button", { type: "button", "aria-pressed": index === this.shown }, name);
      button.addEventListener("click", () => {
        this.shown = index;
        [...this.choice.children].forEach((one, place) => one.setAttribute("aria-pressed", place === index));
        this.tell("member", index);
        this.drawnThumbnails = 0;
        this.request();
      });
      return button;
    }));
  }

  // Opens the card of a part below, or closes it.
  choose(part) {
    this.part = this.part === part ? "" : part;
    this.graph.choose(this.part);
    this.tell("part", this.part);
  }

  // A drawing becomes the data of a new beginning.
  async learn(points) {
    if (await this.server.send({ do: "points", points, restart: true })) this.fetchReal(this.server);
  }

  async save() {
    this.film.disabled = true;
    try {
      const link = make("a", { href: URL.createObjectURL(await this.server.animation()), download: "playground.webp" });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    } catch (error) {
      this.say(error.message);
    }
    this.film.disabled = false;
  }

  // passing: the sentence holds until the server answers again.
  say(sentence, passing = false) {
    this.trouble.textContent = sentence;
    this.passing = passing;
  }

  reached() {
    if (this.passing) this.say("");
  }

  async fetchReal(server) {
    try {
      const real = await server.real();
      if (server !== this.server) return;
      this.planes.forEach((plane) => (plane.real = coordinates(real.points, real.extent)));
      this.drawnThumbnails = 0;
      this.request();
    } catch (error) {
      this.reality = null; // the next frame asks again
    }
  }

  // A story plays by itself.
  async begin(server) {
    await server.send({ do: "speed", speed: FAST });
    await server.send({ do: "play" });
  }

  receive(frame) {
    const now = performance.now();
    if (this.reality === null) {
      this.reality = true;
      this.fetchReal(this.server);
      if (this.data.play) this.begin(this.server);
    }
    this.frame = frame;
    this.pictures = frame.members.map((member) => picture(member, frame));
    this.pictures.forEach((one, index) => this.planes[index]?.set(one, now));
    this.transport.set(frame);
    const numbers = frame.members[this.shown]?.numbers ?? frame.numbers;
    this.stages.set(frame.stage, numbers, this.data.formulas[this.shown] ?? {});
    this.graph.light(frame.stage, frame.playing);
    this.root.classList.toggle("playing", frame.playing);
    this.root.dataset.at = frame.at; // how far it is, for those who test
    if (frame.error) this.say(frame.error);
    this.report(frame);
    this.request();
  }

  // Tells the page that play began or ended, and what the link to here is once everything has come to rest.
  report(frame) {
    if (frame.target !== null && frame.target !== undefined) return;
    const now = { playing: frame.playing, script: frame.script };
    if (alike(now, this.coming)) return;
    clearTimeout(this.reporting);
    this.coming = now;
    if (alike(now, this.told)) return;
    this.reporting = setTimeout(() => {
      this.told = now;
      this.tell("now", now);
    }, SETTLED_AFTER);
  }

  request() {
    this.waiting ??= requestAnimationFrame((now) => {
      this.waiting = undefined;
      if (this.planes.map((plane) => plane.draw(now)).some(Boolean)) this.request();
      if (now - this.drawnThumbnails > THUMBNAILS_EVERY) this.drawThumbnails(now);
      else this.late ??= setTimeout(() => this.drawThumbnails(performance.now()), THUMBNAILS_EVERY);
    });
  }

  drawThumbnails(now) {
    clearTimeout(this.late);
    this.late = undefined;
    this.drawnThumbnails = now;
    if (!this.graph.element.hidden) this.graph.draw(this.pictures[this.shown], this.planes[this.shown]?.real);
  }

  close() {
    this.server?.close();
    this.drawing.close();
    this.planes.forEach((plane) => plane.close());
    clearTimeout(this.late);
    clearTimeout(this.reporting);
    if (this.waiting) cancelAnimationFrame(this.waiting);
    this.root.remove();
  }
}

// Whether the page knows enough: of the way that play makes it needs not hear, of another history it does.
function alike(one, other) {
  const history = (said) => (said.playing ? said.script.slice(said.script.indexOf("~")) : said.script);
  return other && one.playing === other.playing && history(one) === history(other);
}

// A member of a frame as the planes draw it.
function picture(member, frame) {
  const { extent, at } = frame;
  const batch = frame.stage === null ? null : member.batch ?? member.numbers?.batch; // slow motion shows the very batch
  const fakes = batch ? batch.fakes : member.fakes;
  return {
    ...member, extent, at, side: member.heat_side, shape: member.warped_shape, heat: bytes(member.heat),
    arrows: coordinates(member.arrows, extent), fakes: coordinates(fakes, extent),
    warped: coordinates(member.warped, extent), batch: batch ? coordinates(batch.real, extent) : null,
  };
}

export default function playground(component) {
  const { parentElement } = component;
  let one = alive.get(parentElement);
  if (!one) {
    one = new Playground(parentElement, component.data);
    alive.set(parentElement, one);
  }
  one.update(component);
  return () => {
    one.close();
    alive.delete(parentElement);
  };
}
