import { isAbsent, isObject, type JsonObject, stringOrNull } from './checks.ts';
import { imagePart, inlinePart, referencePart } from './media.ts';
import type { Tally } from './tally.ts';

/** Members of a part that are no text: they name its kind or its cache. */
const LABELS: ReadonlySet<string> = new Set(['type', 'cache_control', 'detail', 'format']);
/** Members that hold or name a medium. */
const MEDIA_MEMBERS =
  'image_url image url input_audio audio audio_url video_url video document_url file file_id file_data file_url filename';
const IMAGE_MEMBERS = ['image_url', 'image', 'url'];
const MEDIA: ReadonlySet<string> = new Set([...LABELS, ...MEDIA_MEMBERS.split(' ')]);

function walkImage(tally: Tally, part: JsonObject): void {
  tally.reference(part['file_id']);
  // Servers differ in which of the members they read.
  const images = IMAGE_MEMBERS.map((name) => part[name]).filter((image) => !isAbsent(image));
  for (const image of images.length === 0 ? [''] : images) {
    const url = isObject(image) ? image['url'] : image;
    const detail = stringOrNull(isObject(image) ? (image['detail'] ?? part['detail']) : part['detail']);
    tally.media.push(imagePart(typeof url === 'string' ? url : '', detail));
  }
}

function walkAudio(tally: Tally, part: JsonObject): void {
  const audio = part['input_audio'] ?? part['audio'] ?? part['audio_url'];
  const data = isObject(audio) ? audio['data'] : audio;
  tally.media.push(typeof data === 'string' ? inlinePart('audio', data) : referencePart('audio'));
}

function walkFile(tally: Tally, part: JsonObject): void {
  const file = isObject(part['file']) ? part['file'] : part;
  const data = file['file_data'];
  tally.reference(file['file_id']);
  tally.json(file['filename']);
  tally.media.push(typeof data === 'string' && !/^https?:/i.test(data) ? inlinePart('file', data) : referencePart('file'));
}

/** Text of a part, and whatever else is in it that is no label. */
function walkText(tally: Tally, part: JsonObject, known: ReadonlySet<string> = LABELS): void {
  for (const name in part) if (!known.has(name)) tally.json(part[name]);
}

type Walk = (tally: Tally, part: JsonObject) => void;
const reference =
  (kind: 'file' | 'video'): Walk =>
  (tally) =>
    tally.media.push(referencePart(kind));

const TEXT_PARTS: ReadonlySet<string> = new Set([
  'text',
  'input_text',
  'output_text',
  'summary_text',
  'reasoning_text',
  'refusal',
  'thinking',
  'reference',
  'tool_reference',
]);
const MEDIA_PARTS: Readonly<Record<string, Walk>> = {
  image_url: walkImage,
  image: walkImage,
  input_image: walkImage,
  computer_screenshot: walkImage,
  input_audio: walkAudio,
  audio_url: walkAudio,
  file: walkFile,
  input_file: walkFile,
  document_url: reference('file'),
  video_url: reference('video'),
  input_video: reference('video'),
};

/** A part that says no kind: some servers take one that only has the member of its medium, or of several. */
function walkUntyped(tally: Tally, part: JsonObject): void {
  let isMedium = false;
  for (const name in part) {
    if (!Object.hasOwn(MEDIA_PARTS, name) || isAbsent(part[name])) continue;
    MEDIA_PARTS[name]!(tally, part);
    isMedium = true;
  }
  walkText(tally, part, isMedium ? MEDIA : LABELS);
}

/** The content of a message or of a tool's output: a text, or parts of text and media, or one of them alone. */
export function walkContent(tally: Tally, content: unknown): void {
  if (typeof content === 'string') tally.text(content);
  else if (isObject(content) && typeof content['type'] === 'string') walkPart(tally, content);
  else if (!Array.isArray(content)) tally.json(content);
  else {
    tally.partBreaks(content.length - 1);
    for (const part of content) walkPart(tally, part);
  }
}

/** The member of a part without a kind that may name a medium which we do not know; null when there is none. */
export function unknownMedium(part: JsonObject): string | null {
  if (typeof part['type'] === 'string') return null;
  const name = Object.keys(part).find((member) => member !== 'text' && !LABELS.has(member) && !Object.hasOwn(MEDIA_PARTS, member));
  return name ?? null;
}

/** Images that stand beside the content: parts, or their addresses or bytes. */
export function walkImages(tally: Tally, images: unknown): void {
  if (isAbsent(images)) return;
  for (const image of Array.isArray(images) ? images : [images]) walkPart(tally, isObject(image) ? image : { type: 'image', image });
}

function walkPart(tally: Tally, part: unknown): void {
  if (!isObject(part)) return tally.json(part);
  tally.cacheControl(part);
  const kind = part['type'];
  if (typeof kind !== 'string') return walkUntyped(tally, part);
  if (TEXT_PARTS.has(kind)) return walkText(tally, part);
  if (Object.hasOwn(MEDIA_PARTS, kind)) {
    MEDIA_PARTS[kind]!(tally, part);
    return walkText(tally, part, MEDIA);
  }
  // A kind of content that we do not know may cost anything.
  tally.unknownFields.push(`content.${kind}`);
  tally.json(part);
}
