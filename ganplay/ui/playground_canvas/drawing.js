// Draw your own data set: with a mouse, a finger, or the arrow keys and the space bar.
import { make } from "./codec.js";
import { drawAxes, drawPoints, scale } from "./layers.js";
import { fit } from "./plane.js";

const APART = 0.035, SPREAD = 0.02, STEP = 0.05; // shares of the extent

export class Drawing {
  // done(points) takes pairs [x, y]; extent is half the width of the sheet in units of the axes.
  constructor(looks, extent, most, done) {
    Object.assign(this, { looks, extent, most, points: [], pen: [0, 0], last: null });
    this.element = make("section", { class: "drawing", hidden: "", "aria-label": "Draw your own data" });
    this.sheet = make("canvas", {
      tabindex: 0, role: "application",
      "aria-label": "Sheet: arrow keys move the pen, space sets a point, backspace takes the last one away",
    });
    this.told = make("output", { class: "told" });
    const row = make("div", { class: "transport" });
    this.use = this.button(row, "Learn this", "primary", () => this.finish(done));
    this.button(row, "Undo", "", () => this.change(() => this.points.pop()));
    this.button(row, "Clear", "", () => this.change(() => (this.points = [])));
    this.button(row, "Cancel", "", () => this.show(false));
    row.append(this.told);
    this.element.append(this.sheet, row);
    this.listen();
  }

  button(row, words, kind, action) {
    const made = make("button", { type: "button", class: kind }, words);
    made.addEventListener("click", action);
    row.append(made);
    return made;
  }

  listen() {
    const sheet = this.sheet;
    sheet.addEventListener("pointerdown", (event) => {
      sheet.setPointerCapture(event.pointerId);
      this.last = null;
      this.stroke(event);
    });
    sheet.addEventListener("pointermove", (event) => {
      if (event.buttons) for (const one of event.getCoalescedEvents?.() ?? [event]) this.stroke(one);
    });
    sheet.addEventListener("keydown", (event) => {
      const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
      if (ways[event.key]) {
        const step = STEP * this.extent * (event.shiftKey ? 4 : 1);
        this.pen = this.pen.map((value, axis) => this.inside(value + ways[event.key][axis] * step));
      } else if (event.key === " ") this.add(...this.pen);
      else if (event.key === "Backspace") this.points.pop();
      else if (event.key === "Escape") return this.show(false);
      else return;
      event.preventDefault();
      this.draw();
    });
    sheet.addEventListener("focus", () => this.draw());
    sheet.addEventListener("blur", () => this.draw());
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this.element);
  }

  close() {
    this.observer.disconnect();
  }

  show(on) {
    this.element.hidden = !on;
    this.looks.drawing(on);
    if (on) {
      this.draw();
      this.sheet.focus({ preventScroll: false });
    }
  }

  change(action) {
    action();
    this.draw();
  }

  finish(done) {
    this.show(false);
    done(this.points.map(([x, y]) => [Number(x.toFixed(3)), Number(y.toFixed(3))]));
  }

  // A point under the pointer, once it has gone far enough from the last, a little beside the line.
  stroke(event) {
    const box = this.sheet.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * 2 - 1, y = 1 - ((event.clientY - box.top) / box.height) * 2;
    if (this.last && Math.hypot(x - this.last[0], y - this.last[1]) < APART) return;
    const beside = () => (this.last ? (Math.random() * 2 - 1) * SPREAD : 0);
    this.add((x + beside()) * this.extent, (y + beside()) * this.extent);
    this.last = [x, y];
    this.draw();
  }

  inside(value) {
    return Math.max(-this.extent, Math.min(this.extent, value));
  }

  add(x, y) {
    if (this.points.length < this.most) this.points.push([this.inside(x), this.inside(y)]);
  }

  draw() {
    if (this.element.hidden) return;
    const size = fit(this.sheet, Math.min(this.element.clientWidth, 520)), pen = this.sheet.getContext("2d");
    this.sheet.style.width = this.sheet.style.height = `${size}px`;
    pen.setTransform(this.sheet.width / size, 0, 0, this.sheet.height / size, 0, 0);
    pen.clearRect(0, 0, size, size);
    const to = scale(size, this.extent);
    drawAxes(pen, size, to, this.looks.ink());
    drawPoints(pen, to, this.points.flat(), this.looks.colours.real, this.looks.paper(), 3.4);
    if (this.sheet.matches(":focus-visible")) this.drawPen(pen, to);
    const count = this.points.length;
    const full = count >= this.most;
    this.told.textContent = full ? `${count} points: the sheet is full.` : `${count} of ${this.most} points`;
    this.use.disabled = count < 2;
  }

  drawPen(pen, to) {
    const [x, y] = [to.x(this.pen[0]), to.y(this.pen[1])];
    pen.strokeStyle = this.looks.ink();
    pen.lineWidth = 2;
    pen.beginPath();
    for (const [u, v] of [[-10, 0], [0, -10]]) {
      pen.moveTo(x + u, y + v);
      pen.lineTo(x - u, y - v);
    }
    pen.stroke();
  }
}
