import { createHmac } from 'node:crypto';
import type { WebhookMessage } from '../../upstream/webhook.ts';
import { VERSION } from '../../version.ts';
import type { AlertFormat } from './definition.ts';
import type { EventPayload, Fact } from './event.ts';
import { forDiscord, forSlack, sentenceOf, type Quote } from './sentence.ts';

/** Discord: no preview of anything in the message. */
const SUPPRESS_EMBEDS = 4;

/** What a delivery is made of. `secret` is null for formats that have no signature. */
export interface MessageParts {
  readonly format: AlertFormat;
  readonly url: string;
  readonly secret: string | null;
  /** Seconds since 1970, for the signature. */
  readonly nowSeconds: number;
}

/** The message of an event: its body in the receiver's format, and its headers. `payload` is the JSON text that is stored. */
export function messageOf(payload: string, parts: MessageParts): WebhookMessage {
  const event = JSON.parse(payload) as EventPayload;
  const body = bodyOf(parts.format, payload, event);
  return {
    url: parts.url,
    body,
    headers: {
      'content-type': 'application/json',
      'user-agent': `panicly/${VERSION}`,
      'panicly-event-id': event.id,
      ...(parts.secret === null ? {} : { 'panicly-signature': signatureOf(body, parts.secret, parts.nowSeconds) }),
    },
  };
}

/** `t=SECONDS,v1=HEX`: HMAC-SHA-256 of `SECONDS.BODY` with the alert's secret. */
export function signatureOf(body: string, secret: string, nowSeconds: number): string {
  return `t=${nowSeconds},v1=${createHmac('sha256', secret).update(`${nowSeconds}.${body}`).digest('hex')}`;
}

function bodyOf(format: AlertFormat, payload: string, event: EventPayload): string {
  if (format === 'generic') return payload;
  if (format === 'slack') return JSON.stringify({ text: textOf(event, forSlack), mrkdwn: false, unfurl_links: false, unfurl_media: false });
  const content = textOf(event, forDiscord);
  return JSON.stringify({ content, allowed_mentions: { parse: [] }, flags: SUPPRESS_EMBEDS });
}

/** The sentence again, made safe for the place where it will be read. */
function textOf(event: EventPayload, quote: Quote): string {
  const { workspace, project } = event;
  const facts = event as unknown as Readonly<Record<string, Fact>>;
  return `Panicly: ${sentenceOf(event.type, { workspace: workspace?.name ?? null, project: project?.name ?? null, facts }, quote)}`;
}
