import { pino, type Logger } from 'pino';

/**
 * Structured log on stderr, one JSON object a line. Callers pass names, codes, counts and positions, never a value of
 * a row and never a driver's message.
 */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

export function createLog(level = process.env['LETHE_LOG_LEVEL'] ?? 'info'): Log {
  return pino(
    { name: 'lethe', level, timestamp: pino.stdTimeFunctions.isoTime, base: { pid: process.pid } },
    pino.destination({ fd: 2, sync: true }),
  );
}
