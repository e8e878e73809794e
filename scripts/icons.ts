import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';

/**
 * Draws the app icon and the tray icons into build/icons. The drawings are the source; the files are committed, because
 * packaging and the tray read them. Each tray icon comes in three forms: colours for Linux, a template (black, only its
 * transparency counts) in two sizes for macOS, and the sizes of Windows in one .ico. Run: `node scripts/icons.ts`.
 */
type Color = readonly [red: number, green: number, blue: number];
type Point = readonly [x: number, y: number];
/** Tells whether a point of the unit square (y downwards) belongs to the shape. */
type Shape = (x: number, y: number) => boolean;
type Layer = Readonly<{ shape: Shape; color: Color | null }>;

const SAMPLES = 4;

const circle =
  (centreX: number, centreY: number, radius: number): Shape =>
  (x, y) =>
    (x - centreX) ** 2 + (y - centreY) ** 2 <= radius ** 2;
const box =
  (left: number, top: number, right: number, bottom: number): Shape =>
  (x, y) =>
    x >= left && x <= right && y >= top && y <= bottom;
const anyOf =
  (...shapes: readonly Shape[]): Shape =>
  (x, y) =>
    shapes.some((shape) => shape(x, y));
const without =
  (shape: Shape, hole: Shape): Shape =>
  (x, y) =>
    shape(x, y) && !hole(x, y);

function polygon(points: readonly Point[]): Shape {
  return (x, y) => {
    let inside = false;
    points.forEach(([ax, ay], index) => {
      const [bx, by] = points[(index + 1) % points.length] ?? [ax, ay];
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
    });
    return inside;
  };
}

/** A shield: straight shoulders, sides that curve into the tip. `inset` makes it smaller on every side. */
function shield(inset: number): Shape {
  const points: Point[] = [
    [0.5, 0.05 + inset],
    [0.88 - inset, 0.18 + inset * 0.8],
  ];
  for (let step = 0; step <= 24; step += 1) {
    const angle = (step / 24) * (Math.PI / 2);
    points.push([0.5 + (0.38 - inset) * Math.cos(angle), 0.5 + (0.46 - inset * 1.1) * Math.sin(angle)]);
  }
  for (let step = 24; step >= 0; step -= 1) {
    const angle = (step / 24) * (Math.PI / 2);
    points.push([0.5 - (0.38 - inset) * Math.cos(angle), 0.5 + (0.46 - inset * 1.1) * Math.sin(angle)]);
  }
  points.push([0.12 + inset, 0.18 + inset * 0.8]);
  return polygon(points);
}

const keyhole = anyOf(
  circle(0.5, 0.42, 0.115),
  polygon([
    [0.46, 0.46],
    [0.54, 0.46],
    [0.585, 0.7],
    [0.415, 0.7],
  ]),
);
const exclamation = anyOf(box(0.445, 0.22, 0.555, 0.56), circle(0.5, 0.7, 0.07));
const play = polygon([
  [0.39, 0.28],
  [0.39, 0.7],
  [0.72, 0.49],
]);
const bars = anyOf(box(0.35, 0.3, 0.45, 0.66), box(0.55, 0.3, 0.65, 0.66));
const padlock = anyOf(
  box(0.33, 0.44, 0.67, 0.7),
  without(
    anyOf(circle(0.5, 0.42, 0.15), box(0.35, 0.42, 0.65, 0.45)),
    anyOf(circle(0.5, 0.42, 0.08), box(0.42, 0.42, 0.58, 0.46)),
  ),
);

const slate: Color = [127, 138, 160];
const blue: Color = [58, 118, 240];
const amber: Color = [235, 150, 20];
const white: Color = [255, 255, 255];
const black: Color = [0, 0, 0];

const outlined = (mark: Shape, color: Color): readonly Layer[] => [
  { shape: anyOf(without(shield(0), shield(0.085)), mark), color },
];
const filled = (mark: Shape, color: Color): readonly Layer[] => [{ shape: without(shield(0), mark), color }];

const app: readonly Layer[] = [
  { shape: shield(0), color: [28, 52, 110] },
  { shape: shield(0.045), color: blue },
  { shape: keyhole, color: white },
];

const trayIcons: Readonly<Record<string, (color: Color | null) => readonly Layer[]>> = {
  idle: (color) => outlined(keyhole, color ?? slate),
  waiting: (color) => filled(exclamation, color ?? amber),
  running: (color) => filled(play, color ?? blue),
  paused: (color) => outlined(bars, color ?? slate),
  locked: (color) => filled(padlock, color ?? slate),
};

const windowsSizes = [16, 20, 24, 32, 48];

const files: Readonly<Record<string, Buffer>> = {
  'icon.png': png(512, app),
  '256x256.png': png(256, app),
  'icon.ico': ico([...windowsSizes, 256], app),
  ...Object.fromEntries(
    Object.entries(trayIcons).flatMap(([name, layers]) => [
      [`tray/${name}.png`, png(44, layers(null))],
      [`tray/${name}Template.png`, png(22, layers(black))],
      [`tray/${name}Template@2x.png`, png(44, layers(black))],
      [`tray/${name}.ico`, ico(windowsSizes, layers(null))],
    ]),
  ),
};

function draw(size: number, layers: readonly Layer[]): Buffer {
  const pixels = Buffer.alloc(size * (size * 4 + 1));
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      pixels.set(pixel(column, row, size, layers), row * (size * 4 + 1) + 1 + column * 4);
    }
  }
  return pixels;
}

function pixel(column: number, row: number, size: number, layers: readonly Layer[]): readonly number[] {
  const sum = [0, 0, 0];
  let covered = 0;
  for (let sample = 0; sample < SAMPLES ** 2; sample += 1) {
    const x = (column + ((sample % SAMPLES) + 0.5) / SAMPLES) / size;
    const y = (row + (Math.floor(sample / SAMPLES) + 0.5) / SAMPLES) / size;
    const color = layers.findLast((layer) => layer.shape(x, y))?.color ?? null;
    if (color === null) continue;
    covered += 1;
    color.forEach((channel, index) => {
      sum[index] = (sum[index] ?? 0) + channel;
    });
  }
  return covered === 0 ? [0, 0, 0, 0] : [...sum.map((channel) => channel / covered), (covered / SAMPLES ** 2) * 255];
}

/** PNG (RFC 2083): 8-bit RGBA, filter 0 on every row. */
function png(size: number, layers: readonly Layer[]): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 6, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(draw(size, layers), { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  out.set(body, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

/** An .ico of PNGs, which Windows reads since Vista; a side of 256 is written as 0. */
function ico(sizes: readonly number[], layers: readonly Layer[]): Buffer {
  const pictures = sizes.map((size) => ({ size, bytes: png(size, layers) }));
  const head = Buffer.alloc(6 + 16 * pictures.length);
  head.writeUInt16LE(1, 2);
  head.writeUInt16LE(pictures.length, 4);
  let offset = head.length;
  for (const [index, { size, bytes }] of pictures.entries()) {
    const at = 6 + 16 * index;
    head.set([size % 256, size % 256], at);
    head.writeUInt16LE(1, at + 4);
    head.writeUInt16LE(32, at + 6);
    head.writeUInt32LE(bytes.length, at + 8);
    head.writeUInt32LE(offset, at + 12);
    offset += bytes.length;
  }
  return Buffer.concat([head, ...pictures.map(({ bytes }) => bytes)]);
}

const folder = join(import.meta.dirname, '..', 'build', 'icons');
for (const [name, bytes] of Object.entries(files)) {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bytes);
}
