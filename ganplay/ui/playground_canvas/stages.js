// Slow motion: the five stages of one update with what is computed in each and its live numbers.
import { make, short, withSubscripts } from "./codec.js";

const STAGES = [
  ["Draw", "x ~ data,  z ~ noise", "A batch of real points and as many noise vectors are drawn."],
  ["G makes", "G(z)", "The generator turns every noise vector into a point."],
  ["D judges", "D(x),  D(G(z))", "The discriminator gives every point a verdict."],
  ["D learns", "", "D goes downhill on its loss: real points up, fakes down. G stands still."],
  ["G learns", "", "G goes downhill on its loss, through D, which stands still."],
];

export class Stages {
  constructor() {
    this.element = make("section", { class: "stages", "aria-label": "The five stages of an update", hidden: "" });
    this.list = make("ol");
    this.items = STAGES.map(([title]) => make("li", {}, title));
    this.list.append(...this.items);
    this.formula = make("p", { class: "formula" });
    this.words = make("p", { class: "words" });
    this.numbers = make("dl", { class: "numbers" });
    this.element.append(this.list, this.formula, this.words, this.numbers);
  }

  // formulas: the losses' as plain text, {d, g}.
  set(stage, numbers, formulas) {
    this.element.hidden = stage === null;
    if (stage === null) return;
    this.items.forEach((item, index) => {
      item.classList.toggle("lit", index === stage);
      if (index === stage) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
    });
    const [, formula, words] = STAGES[stage];
    withSubscripts(this.formula, stage === 3 ? formulas.d : stage === 4 ? formulas.g : formula);
    this.words.textContent = words;
    const shown = Object.entries(numbers || {}).filter(([name]) => name !== "batch");
    this.numbers.replaceChildren(...shown.map(([name, value]) => {
      const pair = make("div");
      pair.append(make("dt", {}, name.replaceAll("_", " ")), make("dd", {}, written(value)));
      return pair;
    }));
  }
}

function written(value) {
  if (Array.isArray(value)) return `(${value.map(written).join(", ")})`;
  return typeof value === "number" || value === null ? short(value) : String(value);
}
