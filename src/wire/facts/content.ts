import { isObject, type JsonObject, stringOrNull } from './checks.ts';
import { imagePart, inlinePart, referencePart } from './media.ts';
import type { Tally } from './tally.ts';

/** Members of a part that are no text: they name its kind or its cache. */
const LABELS: ReadonlySet<string> = new Set(['type', 'cache_control', 'annotations', 'logprobs', 'detail', 'format']);

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
function walkText(tally: Tally, part: JsonObject): void {
  for (const name in part) if (!LABELS.has(name)) tally.json(part[name]);
}

const PARTS: Readonly<Record<string, (tally: Tally, part: JsonObject) => void>> = {
  text: walkText,
  input_text: walkText,
  output_text: walkText,
  summary_text: walkText,
  reasoning_text: walkText,
  refusal: walkText,
  thinking: walkText,
  reference: walkText,
  tool_reference: walkText,
  image_url: walkImage,
  image: walkImage,
  input_image: walkImage,
  computer_screenshot: walkImage,
  input_audio: walkAudio,
  audio_url: walkAudio,
  file: walkFile,
  input_file: walkFile,
  document_url: (tally) => tally.media.push(referencePart('file')),
  video_url: (tally) => tally.media.push(referencePart('video')),
  input_video: (tally) => tally.media.push(referencePart('video')),
};

/** The content of a message or of a tool's output: a text, or parts of text and media. */
export function walkContent(tally: Tally, content: unknown): void {
  if (typeof content === 'string') tally.text(content);
  else if (Array.isArray(content)) for (const part of content) walkPart(tally, part);
  else tally.json(content);
}

function walkPart(tally: Tally, part: unknown): void {
  if (!isObject(part)) return tally.json(part);
  const type = stringOrNull(part['type']) ?? 'text';
  tally.cacheControl(part);
  const walk = Object.hasOwn(PARTS, type) ? PARTS[type] : undefined;
  if (walk) return walk(tally, part);
  // A kind of content that we do not know may cost anything.
  tally.unknownFields.push(`content.${type}`);
  tally.json(part);
}
