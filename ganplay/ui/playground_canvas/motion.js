// Smooth movement between frames: every number goes in a straight line to its newest value.

const SHORTEST = 60, LONGEST = 450; // milliseconds
const MOVED = ["fakes", "heat", "warped", "arrows"];

export function calm() {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
}

export class Motion {
  constructor() {
    this.from = this.to = null;
    this.start = this.duration = 0;
    this.arrived = 0;
  }

  set(target, now) {
    const gap = now - this.arrived;
    this.from = calm() ? null : this.at(now);
    this.to = target;
    this.start = now;
    this.duration = Math.min(LONGEST, Math.max(SHORTEST, gap));
    this.arrived = now;
  }

  moving(now) {
    return this.from !== null && now - this.start < this.duration;
  }

  // What to draw at this moment, null before the first frame.
  at(now) {
    if (!this.to || !this.moving(now)) return this.to;
    const share = (now - this.start) / this.duration;
    const between = { ...this.to };
    for (const name of MOVED) between[name] = mix(this.from[name], this.to[name], share);
    return between;
  }
}

export function mix(from, to, share) {
  if (!from || !to || from.length !== to.length) return to;
  const found = new Float32Array(to.length);
  for (let index = 0; index < found.length; index++) found[index] = from[index] + (to[index] - from[index]) * share;
  return found;
}
