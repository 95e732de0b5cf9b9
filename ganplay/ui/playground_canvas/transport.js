// Play, pause, single steps, slow motion, speed, and the way back through the whole run.
import { make } from "./codec.js";

const SETTLED = 140; // milliseconds after the last movement of the slider until the run goes there

export class Transport {
  // send(action) speaks to the server.
  constructor(send, speeds) {
    this.send = send;
    this.dragging = false;
    this.element = make("div", { class: "transport", role: "group", "aria-label": "Training" });
    this.play = this.button("Play", "primary", () => send({ do: this.playing ? "pause" : "play" }));
    this.slow = this.button("Slow motion", "", () => send({ do: "slow", on: !this.slowly }));
    this.slow.setAttribute("aria-pressed", "false");
    const steps = make("span", { class: "steps", role: "group", "aria-label": "One step" });
    steps.append(make("span", {}, "Step"));
    for (const [words, which] of [["G", "generator"], ["D", "discriminator"], ["both", "both"]]) {
      const one = this.button(words, "", () => send({ do: "step", which }));
      one.setAttribute("aria-label", which === "both" ? "One step of both" : `One step of the ${which} only`);
      steps.append(one);
      this.both = one;
    }
    const pace = make("label", { class: "pace" }, "Speed ");
    this.speed = make("select");
    for (const [value, words] of speeds) this.speed.append(make("option", { value }, words));
    this.speed.addEventListener("change", () => send({ do: "speed", speed: Number(this.speed.value) }));
    pace.append(this.speed);
    const travel = make("label", { class: "travel" }, "Time travel ");
    this.time = make("input", { type: "range", min: 0, max: 0, step: 1, value: 0 });
    this.time.addEventListener("input", () => this.travel());
    travel.append(this.time);
    this.told = make("output", { class: "told" }, "Iteration 0");
    this.element.append(this.play, steps, this.slow, pace, travel, this.told);
  }

  button(words, kind, action) {
    const made = make("button", { type: "button", class: kind }, words);
    made.addEventListener("click", action);
    return made;
  }

  travel() {
    this.dragging = true;
    this.say(Number(this.time.value), "");
    clearTimeout(this.timer);
    this.timer = setTimeout(async () => {
      await this.send({ do: "seek", at: Number(this.time.value) });
      this.dragging = false;
    }, SETTLED);
  }

  set(frame) {
    this.playing = frame.playing;
    this.play.textContent = frame.playing ? "Pause" : "Play";
    const slow = (this.slowly = frame.stage !== null);
    this.slow.setAttribute("aria-pressed", slow);
    this.both.textContent = slow ? "next stage" : "both";
    this.both.setAttribute("aria-label", slow ? "Next stage" : "One step of both");
    if (document.activeElement !== this.speed && this.speed.getRootNode().activeElement !== this.speed) {
      this.speed.value = nearest([...this.speed.options].map((one) => Number(one.value)), frame.speed);
    }
    if (this.dragging) return;
    this.time.max = Math.max(frame.last, frame.at);
    this.time.value = frame.at;
    this.say(frame.at, frame.playing && frame.rate ? ` · ${Math.round(frame.rate)} a second` : "");
  }

  say(at, rate) {
    this.time.setAttribute("aria-valuetext", `iteration ${at} of ${this.time.max}`);
    this.told.textContent = `Iteration ${at.toLocaleString("en")}${rate}`;
  }
}

function nearest(values, wanted) {
  return String(values.reduce((best, value) => (Math.abs(value - wanted) < Math.abs(best - wanted) ? value : best)));
}
