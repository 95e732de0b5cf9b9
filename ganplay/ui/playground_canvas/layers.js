// The layers of a plane. Each draws on a canvas context whose plane is a square of `size` pixels around (0, 0).

// Pixels of a point in units of the axes; y grows upwards.
export function scale(size, extent) {
  const half = size / 2;
  return { x: (value) => half + (value / extent) * half, y: (value) => half - (value / extent) * half, half, extent };
}

const sheet = document.createElement("canvas"); // a pixel for each value of a map, before it is enlarged

// Where D says "real" in the colour of real points, where "fake" in that of fakes, and nothing where it is unsure.
export function drawHeat(context, size, heat, side, colours, strength = 0.45) {
  if (!heat || !side) return;
  sheet.width = sheet.height = side;
  const pen = sheet.getContext("2d");
  const image = pen.createImageData(side, side), found = image.data;
  const [real, fake] = [colours.real, colours.fake].map((colour) => parseInt(colour.slice(1), 16));
  for (let row = 0, place = 0; row < side; row++) {
    for (let column = 0; column < side; column++, place += 4) {
      const certain = (heat[(side - 1 - row) * side + column] / 255) * 2 - 1;
      const shade = certain > 0 ? real : fake;
      found[place] = shade >> 16;
      found[place + 1] = (shade >> 8) & 255;
      found[place + 2] = shade & 255;
      found[place + 3] = Math.abs(certain) * 255 * strength;
    }
  }
  pen.putImageData(image, 0, 0);
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  // Samples lie on the edges of the plane, pixels of a picture beside them: half a pixel hangs over on each side.
  const over = size / (side - 1) / 2;
  context.drawImage(sheet, -over, -over, size + 2 * over, size + 2 * over);
}

// Circles or diamonds, all at once: the halo lies below every one of them, so that a crowd stays a blot.
export function drawPoints(context, to, points, colour, halo, radius, diamond = false) {
  if (!points) return;
  const shapes = new Path2D(), wide = radius * 1.3;
  for (let index = 0; index < points.length; index += 2) {
    const x = to.x(points[index]), y = to.y(points[index + 1]);
    if (!Number.isFinite(x + y)) continue;
    shapes.moveTo(x + (diamond ? wide : radius), y);
    if (diamond) {
      shapes.lineTo(x, y + wide);
      shapes.lineTo(x - wide, y);
      shapes.lineTo(x, y - wide);
      shapes.closePath();
    } else shapes.arc(x, y, radius, 0, 2 * Math.PI);
  }
  if (halo) {
    context.strokeStyle = halo;
    context.lineWidth = Math.max(1, radius / 1.6);
    context.stroke(shapes);
  }
  context.fillStyle = colour;
  context.fill(shapes);
}

// The generator's map of the grid of noise: each cell the fuller, the more of the noise it squeezes into its area.
// weights: share of the noise in each cell of the unwarped grid, its largest 1.
export function drawWarp(context, to, warped, shape, colour, weights) {
  if (!warped || !shape) return;
  if (shape.length < 2) return drawThread(context, to, warped, colour);
  const [rows, columns] = shape;
  const at = (row, column) => 2 * (row * columns + column);
  context.fillStyle = context.strokeStyle = colour;
  context.lineWidth = 0.7;
  const usual = (2 * to.half) ** 2 / ((rows - 1) * (columns - 1)) / 14; // area that is drawn half full
  for (let row = 0; row + 1 < rows; row++) {
    for (let column = 0; column + 1 < columns; column++) {
      const corners = [at(row, column), at(row, column + 1), at(row + 1, column + 1), at(row + 1, column)];
      const xs = corners.map((place) => to.x(warped[place])), ys = corners.map((place) => to.y(warped[place + 1]));
      const area = Math.abs((xs[2] - xs[0]) * (ys[3] - ys[1]) - (xs[3] - xs[1]) * (ys[2] - ys[0])) / 2;
      const density = weights(row, column, rows, columns) * (usual / (area + usual));
      context.beginPath();
      corners.forEach((_, corner) => context.lineTo(xs[corner], ys[corner]));
      context.closePath();
      context.globalAlpha = 0.04 + 0.6 * density;
      context.fill();
      context.globalAlpha = 0.5;
      context.stroke();
    }
  }
  context.globalAlpha = 1;
}

function drawThread(context, to, warped, colour) {
  context.lineCap = "round";
  context.strokeStyle = colour;
  context.lineWidth = 2.5;
  for (let place = 0; place + 3 < warped.length; place += 2) {
    const [x, y] = [to.x(warped[place]), to.y(warped[place + 1])];
    const [u, v] = [to.x(warped[place + 2]), to.y(warped[place + 3])];
    const stretch = Math.hypot(u - x, v - y);
    context.globalAlpha = 0.3 + 0.7 / (1 + stretch / 12);
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(u, v);
    context.stroke();
  }
  context.globalAlpha = 1;
}

// Where G's loss falls fastest at each fake. The longest arrow has a seventh of the plane; all keep their proportions.
export function drawArrows(context, to, arrows, colour, halo) {
  if (!arrows || !arrows.length) return;
  let longest = 0;
  for (let place = 0; place < arrows.length; place += 4) {
    longest = Math.max(longest, Math.hypot(arrows[place + 2], arrows[place + 3]) || 0);
  }
  if (!longest) return;
  const unit = (2 * to.half) / 7 / longest;
  context.lineJoin = "round";
  for (let place = 0; place < arrows.length; place += 4) {
    const x = to.x(arrows[place]), y = to.y(arrows[place + 1]);
    const along = arrows[place + 2] * unit, down = -arrows[place + 3] * unit;
    const length = Math.hypot(along, down);
    if (!(length >= 2)) continue;
    const width = 1.8, [sideX, sideY] = [(-down / length) * width, (along / length) * width];
    context.beginPath();
    context.moveTo(x + sideX, y + sideY);
    context.lineTo(x + along, y + down);
    context.lineTo(x - sideX, y - sideY);
    context.closePath();
    context.fillStyle = colour;
    context.fill();
    context.strokeStyle = halo;
    context.lineWidth = 0.7;
    context.stroke();
  }
}

export function drawAxes(context, size, to, ink) {
  context.strokeStyle = ink;
  context.fillStyle = ink;
  context.globalAlpha = 0.25;
  context.lineWidth = 1;
  for (const line of [[0, to.half, size, to.half], [to.half, 0, to.half, size]]) {
    context.beginPath();
    context.moveTo(line[0], line[1]);
    context.lineTo(line[2], line[3]);
    context.stroke();
  }
  context.globalAlpha = 0.9;
  context.font = "11px sans-serif";
  context.textBaseline = "bottom";
  context.textAlign = "left";
  const edge = Number(to.extent.toPrecision(3));
  context.fillText(`x₁ → and x₂ ↑ from −${edge} to ${edge}`, 5, size - 4);
  context.globalAlpha = 1;
}

// Share of the noise in a cell of the grid on which G is looked at, relative to the fullest one.
export function weightsOf(noise) {
  if (noise === "uniform") return () => 1;
  return (row, column, rows, columns) => {
    const [u, v] = [(row + 0.5) / (rows - 1), (column + 0.5) / (columns - 1)].map((share) => 4 * share - 2);
    return Math.exp(-(u * u + v * v) / 2);
  };
}
