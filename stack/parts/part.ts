import type { Components } from '../cache/components.ts';
import type { PartFolder } from '../part-folder.ts';
import type { PartName } from '../part-name.ts';
import type { PortName, Ports } from '../ports.ts';
import type { DaemonCommand } from '../process/daemon.ts';
import type { StackState } from '../stack-state.ts';

/** What a part may know of the stack it belongs to. */
export interface PartContext {
  readonly folder: PartFolder;
  readonly state: StackState;
  readonly ports: Ports;
  readonly components: Components;
  readonly java: string;
  readonly signal: AbortSignal;
}

/**
 * One server. `prepare` is called before every start and must be safe to repeat, also after it was killed
 * half-way. `isReady` makes one real request: true when the server does its work; false or an error mean not yet.
 */
export interface Part {
  readonly name: PartName;
  readonly version: string;
  /** Parts without which this one cannot start. */
  readonly needs: readonly PartName[];
  readonly ports: readonly PortName[];
  readonly stopSignal: NodeJS.Signals;
  readonly stopLimitMs: number;
  readonly readyLimitMs: number;
  readonly prepare: (context: PartContext) => Promise<void>;
  readonly command: (context: PartContext) => DaemonCommand;
  readonly isReady: (context: PartContext) => Promise<boolean>;
}

/** How long one readiness request may take; a server that starts may accept a connection and say nothing. */
export const READY_REQUEST_MS = 5_000;
