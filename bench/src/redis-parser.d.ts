// redis-parser has no types of its own.
declare module 'redis-parser' {
  export default class RedisParser {
    constructor(options: {
      returnReply(reply: unknown): void;
      returnError(error: Error): void;
      returnFatalError(error: Error): void;
      returnBuffers?: boolean;
    });
    execute(bytes: Buffer): void;
  }
}
