import type { Upstream, UpstreamAnswer } from './upstream.ts';

/** All of a delivery: connecting, sending, and the receiver's answer. */
const DELIVERY_MS = 10_000;
/** What is read of an answer, to let the connection be used again; nothing of it is kept. */
const MAX_ANSWER_BYTES = 16_384;
/** The longest wait that a receiver may ask for. */
const MAX_RETRY_AFTER_SECONDS = 3_600;

/** One message for one receiver. */
export interface WebhookMessage {
  /** Checked by `checkWebhookUrl`; a secret, so it is never logged. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What became of it. `error` is a short code: `http_500`, `redirect`, `timeout`, `unreachable`, `reset`, `malformed`, `stopped`. */
export interface WebhookOutcome {
  readonly delivered: boolean;
  /** The receiver's status, null when it did not answer. */
  readonly status: number | null;
  readonly error: string | null;
  /** What the receiver asked for in `retry-after`, at most an hour; null when it asked for nothing. */
  readonly retryAfterSeconds: number | null;
}

/** Sends webhooks. */
export interface WebhookSender {
  /** Delivered is what the receiver answers with a 2xx. Never rejects; ends after ten seconds, or when `stop` is called. */
  send(message: WebhookMessage, onStoppable?: (stop: () => void) => void): Promise<WebhookOutcome>;
  close(): void;
}

/** Webhooks over the same road as providers: redirects are not followed, and no proxy of the environment is obeyed. */
export function webhookSender(upstream: Upstream, deliveryMs: number = DELIVERY_MS): WebhookSender {
  return {
    send: (message, onStoppable) => deliver(upstream, message, deliveryMs, onStoppable),
    close: () => upstream.close(),
  };
}

async function deliver(
  upstream: Upstream,
  message: WebhookMessage,
  deliveryMs: number,
  onStoppable: ((stop: () => void) => void) | undefined,
): Promise<WebhookOutcome> {
  const socket = new AbortController();
  let why: 'timeout' | 'stopped' = 'timeout';
  const timer = setTimeout(() => socket.abort(), deliveryMs);
  onStoppable?.(() => {
    why = 'stopped';
    socket.abort();
  });
  try {
    const answer = await upstream.send({
      url: message.url,
      method: 'POST',
      headers: message.headers,
      body: new TextEncoder().encode(message.body),
      signal: socket.signal,
      firstByteMs: deliveryMs,
      idleMs: deliveryMs,
    });
    if (answer.kind !== 'answer') return undelivered(answer.kind === 'aborted' ? why : answer.kind, null);
    await discard(answer);
    return outcomeOf(answer);
  } finally {
    clearTimeout(timer);
  }
}

/** Whatever follows the status changes nothing: the receiver has said whether it took the message. */
async function discard(answer: UpstreamAnswer): Promise<void> {
  try {
    for (let read = 0; read <= MAX_ANSWER_BYTES;) {
      const bytes = await answer.read();
      if (bytes === null) return;
      read += bytes.length;
    }
  } catch {
    return;
  }
  answer.abort();
}

function outcomeOf({ status, headers }: UpstreamAnswer): WebhookOutcome {
  if (status >= 200 && status <= 299) return { delivered: true, status, error: null, retryAfterSeconds: null };
  const asked = /^\d{1,6}(?:\.\d+)?$/.exec(headers.get('retry-after') ?? '');
  const retryAfterSeconds = asked === null ? null : Math.min(Math.ceil(Number(asked[0])), MAX_RETRY_AFTER_SECONDS);
  return { delivered: false, status, error: `http_${status}`, retryAfterSeconds };
}

function undelivered(error: string, status: number | null): WebhookOutcome {
  return { delivered: false, status, error, retryAfterSeconds: null };
}
