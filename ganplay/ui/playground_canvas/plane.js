// One plane: the points of one GAN with the layers that the caption switches.
import { make, short } from "./codec.js";
import { drawArrows, drawAxes, drawHeat, drawPoints, drawWarp, scale, weightsOf } from "./layers.js";
import { Motion } from "./motion.js";

// By name of the layer: the words of the caption.
export const LAYERS = {
  real: "real points", fakes: "generated points", heat: "D's verdict", warped: "G's warped noise",
  arrows: "downhill for G's loss",
};
const SPOKEN_EVERY = 2000; // milliseconds between two descriptions for those who listen

export class Plane {
  constructor(name, looks) {
    this.looks = looks; // { colours, layers (a Set), noise, ink(), paper(), dirty() }
    this.motion = new Motion();
    this.real = null;
    this.spoken = 0;
    this.figure = make("figure", { class: "plane" });
    this.title = make("figcaption", { class: "name" }, name);
    this.canvas = make("canvas", { role: "img", "aria-label": `${name}: no frame yet` });
    this.stack = make("div", { class: "stack" });
    this.stack.append(this.canvas);
    this.measures = make("dl", { class: "measures" });
    this.figure.append(this.title, this.stack, this.measures);
    this.observer = new ResizeObserver(() => looks.dirty());
    this.observer.observe(this.stack);
  }

  close() {
    this.observer.disconnect();
  }

  rename(name) {
    this.title.textContent = name;
  }

  set(picture, now) {
    this.motion.set(picture, now);
    this.measure(picture.measures);
    if (now - this.spoken > SPOKEN_EVERY) {
      this.spoken = now;
      const said = [...this.measures.children].map((one) => one.textContent).join(" ");
      this.canvas.setAttribute("aria-label", `${this.title.textContent}, iteration ${picture.at}. ${said}`);
    }
  }

  measure(measures) {
    const shown = [];
    if (measures) {
      if (measures.of) shown.push(["modes covered", `${measures.modes} of ${measures.of}`]);
      if (Number.isFinite(measures.high_quality)) {
        shown.push(["high quality", `${Math.round(100 * measures.high_quality)} %`]);
      }
      shown.push(["KL", short(measures.kl, 2)], ["JS", short(measures.js, 2)]);
      if (measures.of) shown.push(["reverse KL over modes", short(measures.reverse_kl, 2)]);
    }
    this.measures.replaceChildren(...shown.map(([name, value]) => {
      const pair = make("div");
      pair.append(make("dt", {}, name), make("dd", {}, value));
      return pair;
    }));
  }

  // Draws the present moment; true while it still moves.
  draw(now) {
    const size = fit(this.canvas, this.stack.clientWidth);
    const context = this.canvas.getContext("2d");
    context.setTransform(this.canvas.width / size, 0, 0, this.canvas.height / size, 0, 0);
    context.clearRect(0, 0, size, size);
    const picture = this.motion.at(now);
    if (!picture) return false;
    const { colours, layers, noise } = this.looks, halo = this.looks.paper(), to = scale(size, picture.extent);
    if (layers.has("heat")) drawHeat(context, size, picture.heat, picture.side, colours);
    drawAxes(context, size, to, this.looks.ink());
    if (layers.has("warped")) {
      drawWarp(context, to, picture.warped, picture.shape, colours.warped, weightsOf(noise()));
    }
    const radius = (size > 420 ? 2.8 : 2.3) * (picture.batch ? 1.6 : 1);
    if (layers.has("real")) drawPoints(context, to, picture.batch ?? this.real, colours.real, halo, radius);
    if (layers.has("fakes")) drawPoints(context, to, picture.fakes, colours.fake, halo, radius, true);
    if (layers.has("arrows")) drawArrows(context, to, picture.arrows, colours.arrows, halo);
    return this.motion.moving(now);
  }
}

// Makes the canvas as sharp as the screen; its side in CSS pixels.
export function fit(canvas, side) {
  const size = Math.max(40, Math.floor(side)), sharp = Math.round(size * Math.min(2, window.devicePixelRatio || 1));
  if (canvas.width !== sharp) canvas.width = canvas.height = sharp;
  return size;
}

// The caption whose words switch the layers.
export function caption(looks, changed) {
  const line = make("p", { class: "caption" }, "Shown: ");
  const names = Object.entries(LAYERS);
  names.forEach(([name, words], index) => {
    const button = make("button", { type: "button", class: `word ${name}` }, words);
    button.dataset.layer = name;
    button.setAttribute("aria-pressed", looks.layers.has(name));
    button.addEventListener("click", () => {
      if (!looks.layers.delete(name)) looks.layers.add(name);
      button.setAttribute("aria-pressed", looks.layers.has(name));
      changed();
    });
    line.append(button, index < names.length - 2 ? ", " : index === names.length - 2 ? " and " : ".");
  });
  return line;
}
