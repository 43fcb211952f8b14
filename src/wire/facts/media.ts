import type { MediaPart } from '../../domain/facts.ts';

const BASE64 = /^data:([\w.+-]*\/?[\w.+-]*)(?:;[\w=.+-]+)*;base64,/i;
/** JPEG segments may be long (colour profiles, thumbnails), but there are never many before the frame header. */
const MAX_JPEG_SEGMENTS = 200;

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Reads single bytes out of base64 text without decoding the rest. */
class Base64View {
  /** Up to here the text is plain base64. */
  #plainTo: number;

  constructor(
    private readonly text: string,
    private readonly start: number,
  ) {
    this.#plainTo = start;
  }

  /** `count` bytes from `offset`, or null when they are not there or the text up to them is not plain base64. */
  read(offset: number, count: number): Uint8Array | null {
    const firstGroup = Math.floor(offset / 3);
    const lastGroup = Math.ceil((offset + count) / 3);
    const from = this.start + firstGroup * 4;
    // What is skipped, too: a space that a decoder leaves out moves all that follows.
    if (!/^[A-Za-z0-9+/_-]*$/.test(this.text.slice(this.#plainTo, from))) return null;
    this.#plainTo = Math.max(this.#plainTo, from);
    const text = this.text.slice(from, this.start + lastGroup * 4);
    if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) return null;
    const skip = offset - firstGroup * 3;
    const bytes = Buffer.from(text, 'base64').subarray(skip, skip + count);
    return bytes.length === count ? bytes : null;
  }
}

const u16 = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;
const u16le = (bytes: Uint8Array, at: number): number => bytes[at]! | (bytes[at + 1]! << 8);
const u24le = (bytes: Uint8Array, at: number): number => u16le(bytes, at) | (bytes[at + 2]! << 16);
const u32 = (bytes: Uint8Array, at: number): number => u16(bytes, at) * 65_536 + u16(bytes, at + 2);
const ascii = (bytes: Uint8Array, at: number, text: string): boolean => {
  for (let index = 0; index < text.length; index++) if (bytes[at + index] !== text.charCodeAt(index)) return false;
  return true;
};

/** Markers that stand alone: a decoder goes on right behind them. None comes before the frame of an honest image. */
function hasNoLength(marker: number): boolean {
  return marker <= 0x01 || (marker >= 0xd0 && marker <= 0xda);
}

function jpegSize(view: Base64View): Size | null {
  let offset = 2;
  for (let segment = 0; segment < MAX_JPEG_SEGMENTS; segment++) {
    const head = view.read(offset, 4);
    if (!head || head[0] !== 0xff) return null;
    const marker = head[1]!;
    if (marker === 0xff) {
      offset += 1;
      continue;
    }
    // SOF0 to SOF15 without the three markers of that range that are tables.
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      const frame = view.read(offset + 5, 4);
      return frame && { height: u16(frame, 0), width: u16(frame, 2) };
    }
    if (hasNoLength(marker)) return null;
    offset += 2 + u16(head, 2);
  }
  return null;
}

function gifSize(view: Base64View, head: Uint8Array): Size | null {
  const screen = { width: u16le(head, 6), height: u16le(head, 8) };
  const tableBytes = (head[10]! & 0x80) === 0 ? 0 : 3 * 2 ** ((head[10]! & 7) + 1);
  const frame = view.read(13 + tableBytes, 10);
  // A frame may be larger than the screen that the file states, and some decoders go by the frame.
  if (!frame || frame[0] !== 0x2c) return null;
  return {
    width: Math.max(screen.width, u16le(frame, 1) + u16le(frame, 5)),
    height: Math.max(screen.height, u16le(frame, 3) + u16le(frame, 7)),
  };
}

function webpSize(head: Uint8Array): Size | null {
  if (ascii(head, 12, 'VP8X')) return { width: u24le(head, 24) + 1, height: u24le(head, 27) + 1 };
  if (ascii(head, 12, 'VP8L') && head[20] === 0x2f) {
    const bits = u24le(head, 21) + head[24]! * 2 ** 24;
    return { width: (bits % 16_384) + 1, height: (Math.floor(bits / 16_384) % 16_384) + 1 };
  }
  if (ascii(head, 12, 'VP8 ')) return { width: u16le(head, 26) & 0x3fff, height: u16le(head, 28) & 0x3fff };
  return null;
}

function imageSize(view: Base64View): Size | null {
  const head = view.read(0, 30);
  if (!head) return null;
  if (ascii(head, 1, 'PNG') && ascii(head, 12, 'IHDR')) return { width: u32(head, 16), height: u32(head, 20) };
  if (head[0] === 0xff && head[1] === 0xd8) return jpegSize(view);
  if (ascii(head, 0, 'GIF8')) return gifSize(view, head);
  if (ascii(head, 0, 'RIFF') && ascii(head, 8, 'WEBP')) return webpSize(head);
  return null;
}

/** An image from its `url` member: a data URL is read for its size, everything else is a reference. */
export function imagePart(url: string, detail: string | null): MediaPart {
  const match = BASE64.exec(url);
  if (!match) return { kind: 'image', source: 'reference', bytes: 0, width: null, height: null, detail };
  const start = match[0].length;
  const size = imageSize(new Base64View(url, start));
  const known = size !== null && size.width > 0 && size.height > 0;
  return {
    kind: 'image',
    source: 'inline',
    bytes: Math.floor(((url.length - start) * 3) / 4),
    width: known ? size.width : null,
    height: known ? size.height : null,
    detail,
  };
}

/** A file, sound or film whose bytes are in the body. */
export function inlinePart(kind: 'audio' | 'file' | 'video', base64: string): MediaPart {
  const bytes = Math.floor((base64.length * 3) / 4);
  return { kind, source: 'inline', bytes, width: null, height: null, detail: null };
}

/** Something that the body only names: its size cannot be known. */
export function referencePart(kind: MediaPart['kind']): MediaPart {
  return { kind, source: 'reference', bytes: 0, width: null, height: null, detail: null };
}
