import { isObject, type JsonObject, stringOrNull } from './checks.ts';
import { imagePart, inlinePart, referencePart } from './media.ts';
import type { Tally } from './tally.ts';

/** Members of a part that are no text: they name its kind or its cache. */
const LABELS: ReadonlySet<string> = new Set(['type', 'cache_control', 'detail', 'format']);
/** Members that hold or name a medium. */
const MEDIA_MEMBERS =
  'image_url image url input_audio audio audio_url video_url video document_url file file_id file_data file_url filename';
const MEDIA: ReadonlySet<string> = new Set([...LABELS, ...MEDIA_MEMBERS.split(' ')]);

function walkImage(tally: Tally, part: JsonObject): void {
  const image = part['image_url'] ?? part['image'] ?? part['url'];
  const url = isObject(image) ? image['url'] : image;
  const detail = stringOrNull(isObject(image) ? (image['detail'] ?? part['detail']) : part['detail']);
  tally.reference(part['file_id']);
  tally.media.push(imagePart(typeof url === 'string' ? url : '', detail));
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

/** The kind of a part; some servers take one that only has the member of its medium. */
function kindOf(part: JsonObject): string {
  const type = part['type'];
  if (typeof type === 'string') return type;
  return Object.keys(part).find((name) => Object.hasOwn(MEDIA_PARTS, name)) ?? 'text';
}

/** The content of a message or of a tool's output: a text, or parts of text and media. */
export function walkContent(tally: Tally, content: unknown): void {
  if (typeof content === 'string') tally.text(content);
  else if (Array.isArray(content)) for (const part of content) walkPart(tally, part);
  else tally.json(content);
}

function walkPart(tally: Tally, part: unknown): void {
  if (!isObject(part)) return tally.json(part);
  const kind = kindOf(part);
  tally.cacheControl(part);
  if (TEXT_PARTS.has(kind)) return walkText(tally, part);
  if (Object.hasOwn(MEDIA_PARTS, kind)) {
    MEDIA_PARTS[kind]!(tally, part);
    return walkText(tally, part, MEDIA);
  }
  // A kind of content that we do not know may cost anything.
  tally.unknownFields.push(`content.${kind}`);
  tally.json(part);
}
