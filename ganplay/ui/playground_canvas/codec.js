// Numbers of a frame: base64 text of little-endian integers, as every browser's processor has them.

export const FULL = 32767; // an int16 of this size lies on the edge of the plane

export function bytes(text) {
  return Uint8Array.from(atob(text || ""), (letter) => letter.charCodeAt(0));
}

// Coordinates in units of the axes, one after the other; what is no number is none.
export function coordinates(text, extent) {
  const whole = new Int16Array(bytes(text).buffer);
  return Float32Array.from(whole, (value) => (value < -FULL ? NaN : (value / FULL) * extent));
}

export function short(value, digits = 3) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const small = size !== 0 && (size < 0.001 || size >= 100000);
  return (small ? value.toExponential(1) : String(Number(value.toPrecision(digits)))).replaceAll("-", "−");
}

// Text with L_D written as L with a small D; nothing of it is read as HTML.
export function withSubscripts(element, text) {
  element.replaceChildren();
  for (const [index, part] of text.split(/_([A-Za-z0-9])/).entries()) {
    if (index % 2) element.append(make("sub", {}, part));
    else element.append(part);
  }
}

export function make(tag, attributes = {}, text = "") {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text) element.textContent = text;
  return element;
}
