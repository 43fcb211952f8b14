import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { once } from 'node:events';
import type { Transform } from 'node:stream';
import type { StreamReader } from '../../domain/answer.ts';
import { encodingsOf } from '../answer.ts';

/** The most decoded bytes of one stream that are read: against a small stream that unpacks without end. */
const MAX_DECODED_STREAM_BYTES = 1024 * 1024 * 1024;

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: () => createGunzip(),
  'x-gzip': () => createGunzip(),
  deflate: () => createInflate(),
  br: () => createBrotliDecompress(),
  zstd: () => createZstdDecompress(),
};

/** The decoder of a `content-encoding` header, or null when it names none that we know, or several. */
export function decoderFor(contentEncoding: string): Transform | null {
  const names = encodingsOf(contentEncoding);
  return names.length === 1 ? (DECODERS[names[0]!]?.() ?? null) : null;
}

/**
 * A reader of a compressed stream: decodes beside the stream that passes untouched.
 * Its facts lag behind `push` and are final only when `finish` has resolved.
 */
export class DecodingReader implements StreamReader {
  #decodedBytes = 0;
  readonly #settled: Promise<void>;

  constructor(
    private readonly decoder: Transform,
    private readonly inner: StreamReader,
  ) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#settled = promise;
    decoder.on('data', (bytes: Uint8Array) => this.#read(bytes));
    decoder.on('end', () => {
      inner.flush();
      resolve();
    });
    // Broken data: without the inner flush the stream stays incomplete, which is the truth.
    decoder.on('error', () => resolve());
    decoder.on('close', () => resolve());
  }

  get complete(): boolean {
    return this.inner.complete;
  }

  get usage(): StreamReader['usage'] {
    return this.inner.usage;
  }

  get deliveredTokenBound(): number {
    return this.inner.deliveredTokenBound;
  }

  get responseId(): string | null {
    return this.inner.responseId;
  }

  get failed(): boolean {
    return this.inner.failed;
  }

  push(chunk: Uint8Array): Uint8Array {
    if (!this.decoder.destroyed && !this.decoder.writableEnded) this.decoder.write(chunk);
    return chunk;
  }

  flush(): null {
    if (!this.decoder.destroyed && !this.decoder.writableEnded) this.decoder.end();
    return null;
  }

  /** Ends the stream as `flush` does, and resolves when all that was pushed is decoded and read. Never rejects. */
  finish(): Promise<void> {
    this.flush();
    return this.#settled;
  }

  #read(bytes: Uint8Array): void {
    this.#decodedBytes += bytes.length;
    if (this.#decodedBytes > MAX_DECODED_STREAM_BYTES) this.decoder.destroy();
    else this.inner.push(bytes);
  }
}

/** Bytes in order: null at the clean end, a rejection when they broke off. */
export interface ByteSource {
  read(): Promise<Uint8Array | null>;
}

/**
 * The decoded bytes of a compressed body, as they become known. Rejects where the body rejects, and on broken data.
 * For the case that something must be taken out of a compressed stream: the client then gets it without `content-encoding`.
 */
export class DecodedBody implements ByteSource {
  readonly #decoded: AsyncIterator<Uint8Array>;

  constructor(
    private readonly decoder: Transform,
    private readonly body: ByteSource,
  ) {
    this.#decoded = decoder[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    void this.#pump();
  }

  async read(): Promise<Uint8Array | null> {
    const { done, value } = await this.#decoded.next();
    return done === true ? null : value;
  }

  async #pump(): Promise<void> {
    try {
      for (let chunk = await this.body.read(); chunk !== null; chunk = await this.body.read()) {
        if (!this.decoder.write(chunk)) await once(this.decoder, 'drain');
      }
      this.decoder.end();
    } catch (error) {
      this.decoder.destroy(error instanceof Error ? error : new Error('the body broke off'));
    }
  }
}
