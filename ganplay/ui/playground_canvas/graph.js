// The model as a graph through which data flows, with a live picture in each part.
import { make, short } from "./codec.js";
import { drawHeat, drawPoints, drawWarp, scale, weightsOf } from "./layers.js";
import { fit } from "./plane.js";

// Place of each part in a drawing of 360 x 330 units; every part is 96 x 84.
const WIDE = 360, HIGH = 336, PART = [96, 88];
const PARTS = {
  noise: ["Noise z", 0, 14], generator: ["Generator", 124, 14], fakes: ["Fakes G(z)", 248, 14],
  real: ["Real x", 0, 126], discriminator: ["Discriminator", 124, 126], predictions: ["Predictions", 248, 126],
  loss_d: ["Loss of D", 124, 238], loss_g: ["Loss of G", 248, 238],
};
// Flow of data, and the gradients' way back: path, and the stages in which it acts.
const FLOWS = [
  ["M96 58 H122", [1], "flow"], ["M220 58 H246", [1], "flow"], ["M270 102 L214 124", [2], "flow"],
  ["M96 170 H122", [2], "flow"], ["M220 170 H246", [2], "flow"], ["M276 214 L212 236", [3], "flow"],
  ["M306 214 V236", [4], "flow"], ["M148 238 V216", [3], "back of-d"],
  ["M344 282 H354 V5 H172 V12", [4], "back of-g"],
];
export const ACTING = [
  ["noise", "real"], ["generator", "fakes"], ["discriminator", "predictions"], ["loss_d", "discriminator"],
  ["loss_g", "generator"],
];
const SVG = "http://www.w3.org/2000/svg";

export class Graph {
  constructor(looks, chosen) {
    this.looks = looks;
    const label = "The model: a click on a part shows its formula";
    this.element = make("div", { class: "graph", role: "group", "aria-label": label });
    this.element.style.aspectRatio = `${WIDE} / ${HIGH}`;
    this.lines = this.drawLines();
    this.element.append(this.lines);
    this.parts = {};
    for (const [name, [title, x, y]] of Object.entries(PARTS)) {
      const button = make("button", { type: "button", class: "part", "aria-pressed": "false" });
      button.dataset.part = name;
      Object.assign(button.style, {
        left: `${(100 * x) / WIDE}%`, top: `${(100 * y) / HIGH}%`, width: `${(100 * PART[0]) / WIDE}%`,
        height: `${(100 * PART[1]) / HIGH}%`,
      });
      const canvas = make("canvas", { "aria-hidden": "true" }), value = make("span", { class: "value" });
      button.append(make("span", { class: "title" }, title), name.startsWith("loss") ? value : canvas);
      if (name.startsWith("loss")) {
        const bar = make("span", { class: `bar ${name}` });
        bar.append(make("i"));
        button.append(bar);
      }
      button.addEventListener("click", () => chosen(name));
      this.element.append(button);
      this.parts[name] = { button, canvas, value };
    }
  }

  drawLines() {
    const lines = document.createElementNS(SVG, "svg");
    lines.setAttribute("viewBox", `0 0 ${WIDE} ${HIGH}`);
    lines.setAttribute("aria-hidden", "true");
    lines.innerHTML = ["flow", "of-d", "of-g"].map((name) =>
      `<marker id="tip-${name}" class="${name}" viewBox="0 0 8 8" refX="7" refY="4" markerUnits="userSpaceOnUse" ` +
      'markerWidth="8" markerHeight="8" orient="auto-start-reverse"><path d="M0 0 L8 4 L0 8 z"/></marker>').join("");
    this.flows = FLOWS.map(([path, stages, kind]) => {
      const line = document.createElementNS(SVG, "path");
      line.setAttribute("d", path);
      line.setAttribute("class", kind);
      line.setAttribute("marker-end", `url(#tip-${kind.split(" ").pop()})`);
      lines.append(line);
      return [line, stages];
    });
    return lines;
  }

  choose(part) {
    for (const [name, { button }] of Object.entries(this.parts)) {
      button.setAttribute("aria-pressed", name === part);
    }
  }

  // Lights what acts in this stage (0 to 4); without one, everything while training goes on.
  light(stage, playing) {
    const acting = stage === null ? [] : ACTING[stage];
    for (const [name, { button }] of Object.entries(this.parts)) button.classList.toggle("lit", acting.includes(name));
    for (const [line, stages] of this.flows) {
      line.classList.toggle("lit", stage === null ? playing : stages.includes(stage));
    }
  }

  draw(picture, real) {
    if (!picture) return;
    const { colours, noise } = this.looks, paper = this.looks.paper(), weights = weightsOf(noise());
    const thumbs = {
      noise: (pen, size) => {
        const flat = unwarped(picture.shape);
        drawWarp(pen, scale(size, 1.15), flat, picture.shape, this.looks.ink(), weights);
      },
      generator: (pen, size, to) => drawWarp(pen, to, picture.warped, picture.shape, colours.warped, weights),
      fakes: (pen, size, to) => drawPoints(pen, to, picture.fakes, colours.fake, "", 1.1, true),
      real: (pen, size, to) => drawPoints(pen, to, real, colours.real, "", 1.1),
      discriminator: (pen, size) => drawHeat(pen, size, picture.heat, picture.side, colours, 0.85),
      predictions: (pen, size) => drawPredictions(pen, size, picture, real, colours),
    };
    for (const [name, draw] of Object.entries(thumbs)) {
      const { canvas } = this.parts[name];
      const size = fit(canvas, canvas.clientHeight || 60), pen = canvas.getContext("2d");
      pen.setTransform(canvas.width / size, 0, 0, canvas.height / size, 0, 0);
      pen.clearRect(0, 0, size, size);
      pen.fillStyle = paper;
      pen.fillRect(0, 0, size, size);
      draw(pen, size, scale(size, picture.extent));
    }
    for (const name of ["loss_d", "loss_g"]) {
      const loss = picture[name], { value, button } = this.parts[name];
      value.textContent = short(loss);
      const share = Number.isFinite(loss) ? Math.abs(loss) / (1 + Math.abs(loss)) : 0;
      button.querySelector("i").style.width = `${100 * share}%`;
    }
  }
}

// The grid of noise before G: equal cells in [-1, 1].
function unwarped(shape) {
  const found = [], place = (index, count) => (2 * index) / (count - 1) - 1;
  if (!shape) return found;
  if (shape.length < 2) for (let index = 0; index < shape[0]; index++) found.push(place(index, shape[0]), 0);
  else {
    for (let row = 0; row < shape[0]; row++) {
      for (let column = 0; column < shape[1]; column++) found.push(place(column, shape[1]), place(row, shape[0]));
    }
  }
  return found;
}

// How often D gives which verdict: real points above the line, fakes below it; from "fake" on the left to "real".
function drawPredictions(pen, size, picture, real, colours) {
  const bins = 12, middle = size / 2;
  [[real, colours.real, -1], [picture.fakes, colours.fake, 1]].forEach(([points, colour, way]) => {
    const counts = histogram(points, picture, bins), most = Math.max(1, ...counts);
    pen.fillStyle = colour;
    counts.forEach((count, bin) => {
      const height = (count / most) * (middle - 3);
      pen.fillRect((bin * size) / bins + 0.5, way < 0 ? middle - height - 0.5 : middle + 0.5, size / bins - 1, height);
    });
  });
}

export function histogram(points, picture, bins) {
  const counts = new Array(bins).fill(0), { heat, side, extent } = picture;
  if (!points || !heat) return counts;
  const place = (value) => Math.round(((Math.max(-extent, Math.min(extent, value)) / extent + 1) / 2) * (side - 1));
  for (let index = 0; index < points.length; index += 2) {
    const verdict = heat[place(points[index + 1]) * side + place(points[index])] / 255;
    if (Number.isFinite(verdict)) counts[Math.min(bins - 1, Math.floor(verdict * bins))]++;
  }
  return counts;
}
