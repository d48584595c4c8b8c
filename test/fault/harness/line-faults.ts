import type { Fault } from './fault.ts';
import { lineNames } from './lines.ts';
import type { TcpProxy } from './tcp-proxy.ts';

/** What the line does to whoever uses it while some transactions are committed. */
const weathers: Readonly<Record<string, (line: TcpProxy) => void>> = {
  cut: (line) => line.cut(),
  refuse: (line) => line.refuse(),
  delay: (line) => line.delay(150),
  throttle: (line) => line.throttle(100_000),
  'half-close': (line) => line.halfClose(),
  silence: (line) => line.silence(),
};

const stores = ['elasticsearch', 'clickhouse'] as const;

/** Both stores take connections and say nothing, for long: what cannot be written must not be held. */
const storesSilent: Fault = {
  name: 'stores stop answering',
  async run(world) {
    await world.moreTraffic(10);
    for (const store of stores) world.lines.of(store).silence();
    await world.trafficFor(world.options.longMs);
    for (const store of stores) world.lines.of(store).heal();
  },
};

/** Each weather on each line, one line after the other in the order of the seed. */
const weatherFaults: readonly Fault[] = Object.entries(weathers).map(([weather, spoil]) => ({
  name: `line ${weather}`,
  async run(world) {
    const rest = [...lineNames];
    while (rest.length > 0) {
      const [name] = rest.splice(world.random.int(0, rest.length - 1), 1);
      await world.moreTraffic(world.random.int(2, 10));
      const line = world.lines.of(name!);
      spoil(line);
      await world.moreTraffic(world.random.int(20, 40));
      line.heal();
    }
  },
}));

export const lineFaults: readonly Fault[] = [...weatherFaults, storesSilent];
