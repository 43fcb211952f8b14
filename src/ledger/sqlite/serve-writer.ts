import { decodeBatch, type WriterReply, type WriterRequest } from './protocol.ts';
import { messageOf } from './transactor.ts';
import { serve, type WorkerPort } from './worker-port.ts';
import { WriterService, type WriterHooks } from './writer-service.ts';

/** Answers requests on a Worker's port until it is told to close; the Worker then has nothing left to wait for and ends. */
export function serveWriter(port: WorkerPort, hooks: WriterHooks = {}): void {
  const service = new WriterService(hooks);
  const answer = async (request: WriterRequest, close: () => void): Promise<void> => {
    const reply = await service.handle(request).catch((error: unknown): WriterReply => broken(request, error));
    port.postMessage(reply);
    if (reply.kind === 'closed') close();
  };
  serve(port, (data, close) => void answer(decode(data), close));
}

function decode(data: unknown): WriterRequest {
  return typeof data === 'string' ? decodeBatch(data) : (data as WriterRequest);
}

function broken(request: WriterRequest, error: unknown): WriterReply {
  return { kind: 'failed', batch: 'batch' in request ? request.batch : 0, message: messageOf(error), fault: 'disk' };
}
